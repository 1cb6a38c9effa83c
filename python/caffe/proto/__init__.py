"""The schema: `caffe.proto.caffe_pb2`."""
