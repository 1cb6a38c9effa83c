# How every target of ours is compiled.

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

# The settings let checkouts share what they compiled, and make a precompiled
# header no obstacle (with -fpch-preprocess, below).
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(sloppiness pch_defines,time_macros,include_file_mtime,include_file_ctime)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_CURRENT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=${sloppiness} ${CCACHE_PROGRAM})
endif()

add_library(caffe_options INTERFACE)
target_compile_options(caffe_options INTERFACE -Wall -Wextra)
if(CAFFE_WERROR)
  target_compile_options(caffe_options INTERFACE -Werror)
endif()
if(CAFFE_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(caffe_options INTERFACE -fpch-preprocess)
endif()
if(CAFFE_SANITIZE)
  # -O0: instrumented code takes twice as long to compile with -O1, and the tests are small.
  target_compile_options(caffe_options INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O0 -g1)
  target_link_options(caffe_options INTERFACE -fsanitize=address,undefined)
endif()
