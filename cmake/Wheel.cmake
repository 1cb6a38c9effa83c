# What a wheel holds beside the Python files: the library with the headers for
# plugins in the package caffe, the extension (see python/), and the command.

install(TARGETS caffe_runtime LIBRARY DESTINATION caffe)
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/caffe DESTINATION caffe/include)
install(FILES ${PROTO_HPP} DESTINATION caffe/include/caffe/proto)
set_target_properties(_caffe PROPERTIES INSTALL_RPATH $ORIGIN)
# oneDNN's package puts it into the lib/ of the virtual environment, above
# lib/pythonX.Y/site-packages/caffe; or into that of pip install --target.
set_target_properties(caffe_runtime PROPERTIES INSTALL_RPATH "$ORIGIN/../../..;$ORIGIN/../lib")

if(TARGET caffe)
  # From the bin/ of a virtual environment, a user's ~/.local or Debian's
  # /usr/local to its packages; the last is for pip install --target.
  set(python_folder ../lib/python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR})
  set_target_properties(
    caffe
    PROPERTIES
      INSTALL_RPATH
      "$ORIGIN/${python_folder}/site-packages/caffe;$ORIGIN/${python_folder}/dist-packages/caffe;$ORIGIN/../caffe")
  install(TARGETS caffe RUNTIME DESTINATION ${SKBUILD_SCRIPTS_DIR})
endif()
