"""`python -m caffe`: the caffe command inside the interpreter, for nets with Python layers."""

import sys

from caffe import _caffe

if __name__ == "__main__":
    sys.exit(_caffe.command(["caffe", *sys.argv[1:]]))
