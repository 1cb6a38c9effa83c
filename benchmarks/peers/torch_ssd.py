"""PyTorch: training, inference, the loss alone, and the export for other peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import samples
from benchmarks.peers.worker import Array, PeerWorker, fastest
from benchmarks.plan import Plan
from benchmarks.protocol import serve

if TYPE_CHECKING:
    import torch

    from benchmarks.peers.torch_loss import Loss
    from benchmarks.peers.torch_net import Scores, Ssd


class TorchWorker(PeerWorker):
    """See PeerWorker."""

    def make(self, case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        import torch

        torch.set_num_threads(case["threads"])
        about: dict[str, Any] = {"version": f"PyTorch {torch.__version__}"}
        ways = {"training": training, "inference": inference, "loss": loss_alone}
        step, more = ways[case["measure"]](case)
        return step, about | more

    def export(self, case: dict[str, Any]) -> dict[str, Any]:
        """Writes net.onnx and net.pt (TorchScript) to the case's folder."""
        import torch

        folder = Path(case["folder"])
        net, image = _deployed(case | {"folder": folder})
        net, image = net.to(memory_format=torch.contiguous_format), image.contiguous()
        with torch.inference_mode():
            torch.jit.trace(net, image).save(str(folder / "net.pt"))
        names = {"input_names": ["data"], "output_names": ["boxes", "scores"]}
        torch.onnx.export(net, (image,), str(folder / "net.onnx"), dynamo=False, **names)
        return {}


def training(case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
    """Forward, loss, backward, update."""
    import torch

    from benchmarks.peers.torch_net import make

    plan = Plan.load(case["folder"])
    net = make(case["folder"], plan, training=True)
    loss = _loss(case["folder"], plan, True)
    x = torch.from_numpy(samples.images(case["batch"], plan.size))
    x = x.to(memory_format=torch.channels_last)
    labels, truth = map(torch.from_numpy, samples.ground_truth(case["batch"], plan.classes))
    optimizer = _optimizer(net, plan, case.get("rate"))
    lower = case["precision"] == "bf16"

    def step() -> dict[str, Array]:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=lower):
            predicted = net(x)
        value, _ = loss(predicted, labels, truth)
        value.backward()
        optimizer.step()
        if not case.get("verify"):
            return {}
        arrays = [*predicted, value]
        names = ["mbox_loc", "mbox_conf", "mbox_center_conf", "mbox_loss"]
        return {name: a.detach().float().numpy() for name, a in zip(names, arrays, strict=True)}

    return step, {}


def _optimizer(net: Ssd, plan: Plan, rate: float | None) -> torch.optim.Optimizer:
    """With the rates and decays of our nets: biases twice the rate, weights alone decay."""
    import torch

    rate = plan.rate if rate is None else rate
    named = list(net.named_parameters())
    norms = {f"{name}." for name, m in net.named_modules() if isinstance(m, torch.nn.BatchNorm2d)}
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in named:
        norm = any(name.startswith(prefix) for prefix in norms)
        bias = name.endswith("bias") and not norm
        groups.setdefault((2.0 if bias else 1.0, not bias and not norm), []).append(parameter)
    parameters = [
        {"params": group, "lr": rate * factor, "weight_decay": plan.decay * decays}
        for (factor, decays), group in groups.items()
    ]
    if plan.rule == "Adam":
        return torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.999), fused=True)
    return torch.optim.SGD(parameters, lr=rate, momentum=0.9, fused=True)


def _loss(folder: Path, plan: Plan, centers: bool) -> Loss:
    import torch

    from benchmarks.peers.torch_loss import Loss

    with np.load(folder / "priors.npz") as arrays:
        priors = torch.from_numpy(arrays["boxes"])
        variances = torch.from_numpy(arrays["variances"])
    with np.load(folder / "weights.npz") as arrays:
        start = torch.from_numpy(arrays["mbox_loss/0"].copy()) if centers else None
    return Loss(priors, variances, start, plan.center_weight, plan.center_rate)


def loss_alone(case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
    """Forward and backward of the loss on random predictions."""
    import torch

    with_centers = case["variant"] == "MultiBoxCenterLoss"
    plan, batch = Plan.load(case["folder"]), case["batch"]
    loss = _loss(case["folder"], plan, with_centers)
    widths = (4, plan.classes, plan.features)[: 3 if with_centers else 2]
    predicted = tuple(
        torch.from_numpy(samples.predictions(batch, len(loss.priors), width, seed))
        for seed, width in enumerate(widths)
    )
    for tensor in predicted:
        tensor.requires_grad_()
    labels, truth = map(torch.from_numpy, samples.ground_truth(batch, plan.classes))

    def step() -> None:
        for tensor in predicted:
            tensor.grad = None
        value, _ = loss(predicted, labels, truth)
        value.backward()

    return step, {}


def _deployed(case: Mapping[str, Any]) -> tuple[Scores, torch.Tensor]:
    """The net for inference, and an image."""
    import torch

    from benchmarks.peers.torch_net import Scores, make

    plan = Plan.load(case["folder"])
    net = make(case["folder"], plan, training=False)
    image = torch.from_numpy(samples.images(1, plan.size))
    return Scores(net).eval(), image.to(memory_format=torch.channels_last)


def inference(case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
    """Forward, decoding, suppression; by the fastest of PyTorch's ways that work here."""
    import torch

    from benchmarks.peers.detections import Priors, detect

    net, image = _deployed(case)
    priors = Priors.load(case["folder"])
    lower = case["precision"] == "bf16"

    def eager() -> Callable[[], Any]:
        def run() -> Any:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=lower):
                return net(image)

        return run

    if case.get("quick_start"):
        name, run = "eager", eager()
    else:
        name, run = fastest({"eager": eager, **_compiled_ways(net, image, lower)})

    def step() -> Array:
        boxes, scores = run()
        return detect(boxes[0].numpy(), scores[0].numpy(), priors)

    return step, {"way": name}


def _compiled_ways(
    net: Scores, image: torch.Tensor, lower: bool
) -> dict[str, Callable[[], Callable[[], Any]]]:
    import torch

    def cast() -> tuple[Any, torch.Tensor]:
        import copy

        if not lower:
            return net, image
        return copy.deepcopy(net).to(torch.bfloat16), image.to(torch.bfloat16)

    def plain_bf16() -> Callable[[], Any]:
        module, x = cast()

        @torch.inference_mode()
        def run() -> Any:
            return module(x)

        return run

    def script() -> Callable[[], Any]:
        module, x = cast()
        with torch.no_grad():
            frozen = torch.jit.freeze(torch.jit.trace(module, x))
            if not lower:
                frozen = torch.jit.optimize_for_inference(frozen)

        @torch.inference_mode()
        def run() -> Any:
            return frozen(x)

        return run

    def compiled() -> Callable[[], Any]:
        from torch._inductor import config

        config.freezing = True
        module, x = cast()
        optimized = torch.compile(module)

        @torch.no_grad()
        def run() -> Any:
            return optimized(x)

        return run

    ways: dict[str, Callable[[], Callable[[], Any]]] = {
        "TorchScript": script,
        "torch.compile": compiled,
    }
    return {"bf16 weights": plain_bf16, **ways} if lower else ways


if __name__ == "__main__":
    serve(TorchWorker())
