#ifndef CAFFE_TOOLS_PROCESS_MAIN_HPP_
#define CAFFE_TOOLS_PROCESS_MAIN_HPP_

/**
 * @brief The caffe command as a whole process: CommandMain, and where a net has
 * Python layers, the same command in an interpreter instead.
 *
 * A C name, by which main finds it in the library.
 * @return the exit status.
 */
extern "C" int CaffeProcessMain(int argc, char** argv);

#endif  // CAFFE_TOOLS_PROCESS_MAIN_HPP_
