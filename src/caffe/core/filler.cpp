#include "caffe/filler.hpp"

namespace caffe {

namespace {

thread_local bool t_paused = false;

}  // namespace

FillerPause::FillerPause(bool pause) : before_(t_paused) { t_paused = t_paused || pause; }

FillerPause::~FillerPause() { t_paused = before_; }

bool FillerPause::IsActive() { return t_paused; }

}  // namespace caffe
