"""Ours beside PyTorch, OpenCV, onnxruntime and ncnn: `make bench`, `python -m benchmarks --help`.

The driver (cli, runner) imports none of them: each measured side is a process of its own, which
`protocol` starts and asks for steps, so that rounds alternate between the sides.
"""
