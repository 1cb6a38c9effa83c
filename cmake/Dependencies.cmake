# Finds everything that is not ours, and says at once all that is missing, with
# the Debian package that brings each.

# caffe_require(condition PACKAGES names...): remembers the packages as missing
# where the condition does not hold.
function(caffe_require condition)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "PACKAGES")
  if(NOT ${condition})
    set_property(GLOBAL APPEND PROPERTY CAFFE_MISSING_PACKAGES ${ARG_PACKAGES})
  endif()
endfunction()

# caffe_find_library(VAR PACKAGE name HEADER file NAMES names... [SUFFIXES folders...])
# finds a library without a CMake package: sets VAR_INCLUDE_DIR and VAR_LIBRARY.
function(caffe_find_library variable)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "PACKAGE;HEADER" "NAMES;SUFFIXES")
  find_path(${variable}_INCLUDE_DIR ${ARG_HEADER} PATH_SUFFIXES ${ARG_SUFFIXES})
  find_library(${variable}_LIBRARY NAMES ${ARG_NAMES} PATH_SUFFIXES ${ARG_SUFFIXES})
  mark_as_advanced(${variable}_INCLUDE_DIR ${variable}_LIBRARY)
  caffe_require(${variable}_INCLUDE_DIR PACKAGES ${ARG_PACKAGE})
  caffe_require(${variable}_LIBRARY PACKAGES ${ARG_PACKAGE})
endfunction()

find_package(Threads REQUIRED)
find_package(OpenMP QUIET COMPONENTS CXX)
caffe_require(OpenMP_CXX_FOUND PACKAGES g++)
find_package(Protobuf QUIET)
caffe_require(Protobuf_FOUND PACKAGES libprotobuf-dev)
caffe_require(Protobuf_PROTOC_EXECUTABLE PACKAGES protobuf-compiler)
caffe_find_library(LMDB PACKAGE liblmdb-dev HEADER lmdb.h NAMES lmdb)
caffe_find_library(HDF5 PACKAGE libhdf5-dev HEADER hdf5.h NAMES hdf5_serial hdf5
                   SUFFIXES hdf5/serial)
caffe_find_library(HDF5_HL PACKAGE libhdf5-dev HEADER hdf5_hl.h NAMES hdf5_serial_hl hdf5_hl
                   SUFFIXES hdf5/serial)
caffe_find_library(OPENBLAS PACKAGE libopenblas-openmp-dev HEADER cblas.h NAMES openblas
                   SUFFIXES openblas-openmp)
foreach(part core imgproc imgcodecs videoio)
  string(TOUPPER OPENCV_${part} variable)
  caffe_find_library(${variable} PACKAGE libopencv-${part}-dev HEADER opencv2/${part}.hpp
                     NAMES opencv_${part} SUFFIXES opencv4)
endforeach()
# oneDNN 2 or 3 makes layers faster, and none needs it. The one that is installed beside the Python
# in use (requirements/dev.in says which) goes before the system's. Its CMake package asks for
# OpenCL, which is not used here.
if(Python_EXECUTABLE)
  execute_process(COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/find_onednn.py
                  OUTPUT_VARIABLE ONEDNN_OF_PYTHON OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
find_path(ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.hpp HINTS ${ONEDNN_OF_PYTHON}
          PATH_SUFFIXES include)
find_library(ONEDNN_LIBRARY NAMES dnnl HINTS ${ONEDNN_OF_PYTHON} PATH_SUFFIXES lib)
mark_as_advanced(ONEDNN_INCLUDE_DIR ONEDNN_LIBRARY)
if(ONEDNN_INCLUDE_DIR AND ONEDNN_LIBRARY)
  option(CAFFE_ONEDNN "Use oneDNN's faster implementations of layers" ON)
else()
  option(CAFFE_ONEDNN "Use oneDNN's faster implementations of layers" OFF)
  if(CAFFE_ONEDNN)
    caffe_require(ONEDNN_LIBRARY PACKAGES libdnnl-dev)
  else()
    message(STATUS "oneDNN not found (Debian: libdnnl-dev): layers run as their plain "
                   "implementations, which are several times slower")
  endif()
endif()
if(CAFFE_BUILD_TESTS)
  caffe_find_library(GTEST PACKAGE libgtest-dev HEADER gtest/gtest.h NAMES gtest)
  caffe_find_library(GTEST_MAIN PACKAGE libgtest-dev HEADER gtest/gtest.h NAMES gtest_main)
endif()
if(CAFFE_BUILD_PYTHON)
  find_package(Python 3.10 QUIET COMPONENTS Interpreter Development.Module)
  caffe_require(Python_FOUND PACKAGES python3-dev)
endif()

get_property(CAFFE_MISSING_PACKAGES GLOBAL PROPERTY CAFFE_MISSING_PACKAGES)
if(CAFFE_MISSING_PACKAGES)
  list(REMOVE_DUPLICATES CAFFE_MISSING_PACKAGES)
  list(JOIN CAFFE_MISSING_PACKAGES " " packages)
  message(FATAL_ERROR "Libraries are missing. On Debian and Ubuntu this installs them:\n"
                      "  sudo apt-get install ${packages}\n")
endif()

add_library(caffe_dependencies INTERFACE)
if(CAFFE_ONEDNN)
  target_include_directories(caffe_dependencies SYSTEM INTERFACE ${ONEDNN_INCLUDE_DIR})
  target_link_libraries(caffe_dependencies INTERFACE ${ONEDNN_LIBRARY})
endif()
target_include_directories(
  caffe_dependencies SYSTEM
  INTERFACE ${Protobuf_INCLUDE_DIRS} ${LMDB_INCLUDE_DIR} ${HDF5_INCLUDE_DIR}
            ${OPENBLAS_INCLUDE_DIR} ${OPENCV_CORE_INCLUDE_DIR})
target_link_libraries(
  caffe_dependencies
  INTERFACE ${Protobuf_LIBRARIES} ${LMDB_LIBRARY} ${HDF5_HL_LIBRARY} ${HDF5_LIBRARY}
            ${OPENBLAS_LIBRARY} ${OPENCV_VIDEOIO_LIBRARY} ${OPENCV_IMGCODECS_LIBRARY}
            ${OPENCV_IMGPROC_LIBRARY} ${OPENCV_CORE_LIBRARY} OpenMP::OpenMP_CXX Threads::Threads
            ${CMAKE_DL_LIBS})
