"""What Caffe never had: data sets, evaluation and pictures for training with center loss."""
