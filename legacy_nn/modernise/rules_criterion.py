"""Rules of criterions: losses of an input and a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plan import Layer, Value
from .registry import rule
from .rules_functions import cosine
from .rules_layers import number, without_defaults

if TYPE_CHECKING:
    from .builder import Builder


def reduction(m: Any) -> dict[str, Any]:
    """Return how losses are put together, where that is not the mean."""
    return {} if m.sizeAverage else {"reduction": "sum"}


def _plain(typename: str, kind: str) -> None:
    def loss(m: Any, x: Value, b: Builder) -> Value:
        return b.layer("loss", Layer(kind, reduction(m)), x, 0)

    rule(typename)(loss)


for _typename, _kind in {
    "nn.MSECriterion": "MSELoss",
    "nn.AbsCriterion": "L1Loss",
    "nn.SmoothL1Criterion": "SmoothL1Loss",
    "nn.SoftMarginCriterion": "SoftMarginLoss",
    "nn.BinaryLogisticRegression": "SoftMarginLoss",
}.items():
    _plain(_typename, _kind)


@rule("nn.DistKLDivCriterion")
def kl_div(m: Any, x: Value, b: Builder) -> Value:
    """Return the divergence of log-probabilities from probabilities."""
    return b.layer("loss", Layer("KLDivLoss", reduction(m)), x, 0)


@rule("nn.BCECriterion")
def binary_cross_entropy(m: Any, x: Value, b: Builder) -> Value:
    """Return the cross entropy of probabilities."""
    arguments = reduction(m)
    if m.weights is not None:
        arguments["weight"] = m.weights
    return b.layer("loss", Layer("BCELoss", arguments), x, 0)


def class_loss(
    m: Any, kind: str, x: Value, b: Builder, reduced: dict[str, Any] | None = None
) -> Value:
    """Return a loss of classes, which targets name by number."""
    input, target = b.parts(x, 2)
    arguments = reduction(m) if reduced is None else {**reduced}
    if m.weights is not None:
        arguments["weight"] = m.weights
    ignored = getattr(m, "ignoreIndex", None)
    ignored = 0 if ignored is None else int(ignored)
    if not b.translation.zero_based or ignored != -100:
        ignored -= 1
    arguments |= without_defaults({"ignore_index": ignored}, ignore_index=-100)
    return b.layer("loss", Layer(kind, arguments), (input, b.index(target)), 0)


@rule("nn.ClassNLLCriterion", "nn.SpatialClassNLLCriterion")
def nll(m: Any, x: Value, b: Builder) -> Value:
    """Return minus the log-probability of each target."""
    return class_loss(m, "NLLLoss", x, b)


@rule("nn.CrossEntropyCriterion")
def cross_entropy(m: Any, x: Value, b: Builder) -> Value:
    """Return minus the log of the softmax at each target."""
    nll = m.nll
    if m.sizeAverage != m.oldSizeAverage:
        nll.sizeAverage = m.sizeAverage
    return class_loss(nll, "CrossEntropyLoss", x, b)


@rule("cudnn.SpatialCrossEntropyCriterion")
def spatial_cross_entropy(m: Any, x: Value, b: Builder) -> Value:
    """Return minus the log of the softmax at each pixel's target."""
    m.nll.sizeAverage = m.sizeAverage
    return class_loss(m.nll, "CrossEntropyLoss", x, b)


@rule("cudnn.VolumetricCrossEntropyCriterion")
def volumetric_cross_entropy(m: Any, x: Value, b: Builder) -> Value:
    """Return minus the log of the softmax at the target of each place of a volume."""
    return spatial_cross_entropy(m.scec, x, b)


@rule("nn.MultiMarginCriterion")
def multi_margin(m: Any, x: Value, b: Builder) -> Value:
    """Return the margins by which other classes come too close to the target's."""
    input, target = b.parts(x, 2)
    arguments = {"p": int(m.p), "margin": number(m.margin)}
    arguments = without_defaults(arguments, p=1, margin=1) | reduction(m)
    if m.weights is not None:
        arguments["weight"] = m.weights
    made = Layer("MultiMarginLoss", arguments)
    return b.layer("loss", made, (input, b.index(target)), 0)


@rule("nn.MultiLabelMarginCriterion")
def multi_label_margin(m: Any, x: Value, b: Builder) -> Value:
    """Return the margins by which other classes come too close to one of the targets.

    Lists of targets end at the first 0, or at the first -1 where classes count from 0.
    """
    input, target = b.parts(x, 2)
    made = Layer("MultiLabelMarginLoss", reduction(m))
    return b.layer("loss", made, (input, b.index(target)), 0)


@rule("nn.ClassSimplexCriterion")
def class_simplex(m: Any, x: Value, b: Builder) -> Value:
    """Return squared distances from the corners of a simplex that belong to the targets."""
    input, target = b.parts(x, 2)
    corners = b.op("rows", b.index(target), b.buffer("simplex", m.simplex), ndim=2)
    return b.layer("loss", Layer("MSELoss", reduction(m)), (input, corners), 0)


@rule("nn.MultiLabelSoftMarginCriterion")
def multi_label_soft_margin(m: Any, x: Value, b: Builder) -> Value:
    """Return the mean cross entropy of each class."""
    if not m.sizeAverage:
        b.refuse("it sums the losses; the layer averages over classes")
    arguments = {} if m.weights is None else {"weight": m.weights}
    return b.layer("loss", Layer("MultiLabelSoftMarginLoss", arguments), x, 0)


@rule("nn.HingeEmbeddingCriterion")
def hinge_embedding(m: Any, x: Value, b: Builder) -> Value:
    """Return distances of pairs that belong together, and what others lack to the margin."""
    arguments = without_defaults({"margin": number(m.margin)}, margin=1) | reduction(m)
    return b.layer("loss", Layer("HingeEmbeddingLoss", arguments), x, 0)


def averaged(m: Any, losses: Any, b: Builder) -> Value:
    """Return the mean or the sum of losses."""
    return b.op("mean_all" if m.sizeAverage else "sum_all", losses, ndim=0)


@rule("nn.MarginCriterion")
def margin(m: Any, x: Value, b: Builder) -> Value:
    """Return what products with targets of 1 and -1 lack to the margin."""
    input, target = b.parts(x, 2)
    product = b.op("mul", b.tensor(input), b.tensor(target))
    lacking = b.op("add", b.op("neg", product), number(m.margin))
    return averaged(m, b.op("at_least", lacking, low=0), b)


@rule("nn.CosineEmbeddingCriterion")
def cosine_embedding(m: Any, x: Value, b: Builder) -> Value:
    """Return how far angles are from what targets of 1 and -1 ask for."""
    pair, target = b.parts(x, 2)
    first, second = b.parts(pair, 2)
    angle = cosine(b, b.tensor(first), b.tensor(second))
    apart = b.op("sub", angle, number(m.margin)) if m.margin else angle
    near = b.op("add", b.op("neg", angle), 1)
    chosen = b.op("where", b.op("less", b.tensor(target), 0), apart, near)
    return averaged(m, b.op("at_least", chosen, low=0), b)


@rule("nn.MarginRankingCriterion")
def margin_ranking(m: Any, x: Value, b: Builder) -> Value:
    """Return what differences lack to the margin."""
    pair, target = b.parts(x, 2)
    first, second = b.parts(pair, 2)
    apart = b.op("mul", b.op("sub", b.tensor(first), b.tensor(second)), b.tensor(target))
    lacking = b.op("add", b.op("neg", apart), number(m.margin))
    return averaged(m, b.op("at_least", lacking, low=0), b)


@rule("nn.DistanceRatioCriterion")
def distance_ratio(m: Any, x: Value, b: Builder) -> Value:
    """Return the loss of two distances, of which the first should be the smaller."""
    pair, _ = b.parts(x, 2)
    alike, unlike = (b.tensor(part) for part in b.parts(pair, 2))
    total = b.op("add", b.op("exp", b.op("neg", alike)), b.op("exp", b.op("neg", unlike)))
    return averaged(m, b.op("add", alike, b.op("log", total)), b)


@rule("nn.L1HingeEmbeddingCriterion")
def l1_hinge(m: Any, x: Value, b: Builder) -> Value:
    """Return the distance of two tensors, or for a target of -1 what it lacks to the margin."""
    pair, target = b.parts(x, 2)
    first, second = (b.tensor(part) for part in b.parts(pair, 2))
    distance = b.op("sum_all", b.op("abs", b.op("sub", first, second)), ndim=0)
    lacking = b.op("at_least", b.op("add", b.op("neg", distance), number(m.margin)), low=0)
    return b.op("where", b.op("equal", b.tensor(target), -1), lacking, distance)


@rule("nn.SpatialBinaryLogisticRegression")
def of_pixels(m: Any, x: Value, b: Builder) -> Value:
    """Return half of the mean loss of pixels of a plane, or the sum of that of images."""
    input = b.tensor(b.parts(x, 2)[0])
    arguments = {} if m.sizeAverage else {"reduction": "sum"}
    loss = b.op("div", b.layer("loss", Layer("SoftMarginLoss", arguments), x, 0), 2)
    if m.sizeAverage:
        return loss
    return b.op("div_size", b.op("div_size", loss, input, dim=-1), input, dim=-2)


@rule("nn.L1Cost")
def l1_cost(m: Any, x: Value, b: Builder) -> Value:
    """Return the sum of magnitudes."""
    return b.op("sum_all", b.op("abs", b.tensor(b.parts(x, 1)[0])), ndim=0)


@rule("nn.WeightedMSECriterion")
def weighted_mse(m: Any, x: Value, b: Builder) -> Value:
    """Return squared differences from targets times a weight."""
    input, target = b.parts(x, 2)
    wanted = b.op("mul", b.tensor(target), b.buffer("weight", m.weight))
    return averaged(m, b.op("square", b.op("sub", b.tensor(input), wanted)), b)


# -- criterions of criterions -----------------------------------------------------------


def weighted_sum(parts: list[tuple[float, Any]], b: Builder) -> Value:
    """Return the sum of losses times their weights."""
    total = None
    for weight, loss in parts:
        term = loss if weight == 1 else b.op("mul", loss, number(weight))
        total = term if total is None else b.op("add", total, term)
    return total


@rule("nn.MultiCriterion")
def multi(m: Any, x: Value, b: Builder) -> Value:
    """Return the weighted sum of losses of the same input and target."""
    weights = m.weights.tolist() if hasattr(m.weights, "tolist") else m.weights.array()
    losses = [
        b.child(c, str(i), x, ("criterions", i + 1)) for i, c in enumerate(m.criterions.array())
    ]
    return weighted_sum(list(zip(weights, losses, strict=True)), b)


@rule("nn.ParallelCriterion")
def parallel(m: Any, x: Value, b: Builder) -> Value:
    """Return the weighted sum of losses, each of its own part."""
    inputs, target = b.parts(x, 2)
    criterions = m.criterions.array()
    found = []
    for i, criterion in enumerate(criterions):
        own = target if m.repeatTarget else b.parts(target, len(criterions))[i]
        pair = (b.parts(inputs, len(criterions))[i], own)
        found.append((m.weights[i + 1], b.child(criterion, str(i), pair, ("criterions", i + 1))))
    return weighted_sum(found, b)


@rule("nn.CriterionTable")
def criterion_table(m: Any, x: Value, b: Builder) -> Value:
    """Return the loss of a table of input and target."""
    return b.child(m.criterion, "criterion", x, ("criterion",))


@rule("nn.ModuleCriterion")
def module_criterion(m: Any, x: Value, b: Builder) -> Value:
    """Return the loss of what modules make of the input and of the target."""
    input, target = b.parts(x, 2)
    if m.inputModule is not None:
        input = b.child(m.inputModule, "inputModule", input, ("inputModule",))
    if m.targetModule is not None:
        target = b.child(m.targetModule, "targetModule", target, ("targetModule",))
    return b.child(m.criterion, "criterion", (input, target), ("criterion",))
