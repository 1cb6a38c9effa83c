"""`python -m caffe`: the caffe command inside the interpreter, for nets with Python layers."""

import signal
import sys

from caffe import _caffe

if __name__ == "__main__":
    # Where the command has no handler of its own, Ctrl-C ends it at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_caffe.command(["caffe", *sys.argv[1:]]))
