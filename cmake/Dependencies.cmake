# Finds the system's libraries; says at once which of them are missing, and
# which Debian package brings each.

set(CAFFE_MISSING_PACKAGES "")

function(caffe_find_library variable package header)
  find_path(${variable}_INCLUDE_DIR ${header} PATH_SUFFIXES ${ARGV3})
  find_library(${variable}_LIBRARY NAMES ${ARGN} PATH_SUFFIXES ${ARGV3})
  if(NOT ${variable}_INCLUDE_DIR OR NOT ${variable}_LIBRARY)
    set(CAFFE_MISSING_PACKAGES ${CAFFE_MISSING_PACKAGES} ${package} PARENT_SCOPE)
  endif()
endfunction()

find_package(Protobuf QUIET)
if(NOT Protobuf_FOUND OR NOT Protobuf_PROTOC_EXECUTABLE)
  list(APPEND CAFFE_MISSING_PACKAGES libprotobuf-dev protobuf-compiler)
endif()
find_package(OpenMP QUIET COMPONENTS CXX)
if(NOT OpenMP_CXX_FOUND)
  list(APPEND CAFFE_MISSING_PACKAGES g++)
endif()
find_package(Threads REQUIRED)
caffe_find_library(LMDB liblmdb-dev lmdb.h "" lmdb)
caffe_find_library(HDF5 libhdf5-dev hdf5.h hdf5/serial hdf5 hdf5_serial)
caffe_find_library(HDF5_HL libhdf5-dev hdf5_hl.h hdf5/serial hdf5_hl hdf5_serial_hl)
caffe_find_library(OPENBLAS libopenblas-openmp-dev cblas.h openblas-openmp openblas)
caffe_find_library(OPENCV_CORE libopencv-core-dev opencv2/core.hpp opencv4 opencv_core)
caffe_find_library(OPENCV_IMGPROC libopencv-imgproc-dev opencv2/imgproc.hpp opencv4 opencv_imgproc)
caffe_find_library(OPENCV_IMGCODECS libopencv-imgcodecs-dev opencv2/imgcodecs.hpp opencv4
                   opencv_imgcodecs)

if(CAFFE_MISSING_PACKAGES)
  list(REMOVE_DUPLICATES CAFFE_MISSING_PACKAGES)
  list(JOIN CAFFE_MISSING_PACKAGES " " packages)
  message(FATAL_ERROR "Libraries are missing. On Debian and Ubuntu this installs them:\n"
                      "  sudo apt-get install ${packages}\n")
endif()

add_library(caffe_dependencies INTERFACE)
target_include_directories(
  caffe_dependencies SYSTEM
  INTERFACE ${Protobuf_INCLUDE_DIRS} ${LMDB_INCLUDE_DIR} ${HDF5_INCLUDE_DIR}
            ${OPENBLAS_INCLUDE_DIR} ${OPENCV_CORE_INCLUDE_DIR})
target_link_libraries(
  caffe_dependencies
  INTERFACE ${Protobuf_LIBRARIES} ${LMDB_LIBRARY} ${HDF5_HL_LIBRARY} ${HDF5_LIBRARY}
            ${OPENBLAS_LIBRARY} ${OPENCV_IMGCODECS_LIBRARY} ${OPENCV_IMGPROC_LIBRARY}
            ${OPENCV_CORE_LIBRARY} OpenMP::OpenMP_CXX Threads::Threads ${CMAKE_DL_LIBS})
