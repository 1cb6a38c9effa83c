"""Training: a run folder is prepared, `caffe train` runs, its log becomes results."""
