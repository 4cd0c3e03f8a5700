"""What users see is pinned: names and documentation."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import skdistill
from skdistill.teachers import Teacher, TeacherEnsemble

PACKAGE = Path(skdistill.__file__).parent
PUBLIC = {
    "skdistill": [
        "AutoColumns",
        "AutoSampler",
        "AutoStudent",
        "Candidates",
        "CascadeClassifier",
        "CascadeRegressor",
        "Constraints",
        "DistilledClassifier",
        "DistilledRegressor",
        "Monitor",
        "PrecomputedTeacher",
        "RemoteTeacher",
        "as_teacher",
        "cascades",
        "certificates",
        "certify",
        "checking",
        "compile",
        "compiled",
        "compress",
        "compression",
        "conformalize",
        "datasets",
        "exceptions",
        "export",
        "fidelity_scorer",
        "inspection",
        "memory_info",
        "metrics",
        "monitoring",
        "reduce_memory",
        "report",
        "samplers",
        "score_dataset",
        "students",
        "targets",
        "transfer",
    ],
    "skdistill.cascades": [
        "CascadeClassifier",
        "CascadeCosts",
        "CascadePath",
        "CascadeRegressor",
    ],
    "skdistill.certificates": [
        "Certificate",
        "Statement",
        "certify",
    ],
    "skdistill.checking": ["check_certificate"],
    "skdistill.compiled": [
        "Columns",
        "CompiledCascade",
        "CompiledModel",
        "Computed",
        "ConformalIntervals",
        "Decision",
        "Design",
        "ExactColumns",
        "Forest",
        "Isotonic",
        "Landmarks",
        "Linear",
        "Network",
        "Scorer",
        "Sum",
        "scorer_from_content",
    ],
    "skdistill.compression": [
        "Budget",
        "Compression",
        "Inheritance",
        "LowRank",
        "Prune",
        "Quantize",
        "ShareThresholds",
        "Step",
        "prune_tree",
        "prune_trees",
        "prune_units",
        "read_inheritance",
        "select_trees",
        "select_weights",
        "share_thresholds",
        "without_redundancy",
    ],
    "skdistill.datasets": [
        "Chunk",
        "ChunkedTable",
        "Partition",
        "Source",
        "as_dataset",
        "is_dataset",
    ],
    "skdistill.distributed": ["label", "on_cluster"],
    "skdistill.export": [
        "Export",
        "register_skl2onnx",
        "skops_trusted_types",
        "to_c",
        "to_javascript",
        "to_onnx",
        "to_python",
        "to_sql",
    ],
    "skdistill.inspection": [
        "CascadeDisplay",
        "ColumnsDisplay",
        "DisagreementDisplay",
        "FidelityDisplay",
        "Report",
        "SamplerDisplay",
        "SizeFidelityDisplay",
        "report",
    ],
    "skdistill.metrics": [
        "ConfidenceSequence",
        "FidelitySums",
        "Footprint",
        "agreement",
        "agreement_scorer",
        "bernstein_interval",
        "betting_interval",
        "binomial_p_value",
        "brier_distance",
        "brier_skill",
        "calibration_curve",
        "calibration_error",
        "clopper_pearson",
        "concordance",
        "coverage",
        "coverage_by_slice",
        "fidelity",
        "fidelity_scorer",
        "fixed_sequence",
        "footprint",
        "holm",
        "kl_divergence",
        "latency",
        "n_operations",
        "n_parameters",
        "neg_bytes_scorer",
        "neg_latency_scorer",
        "pickled_bytes",
        "pinball_loss",
        "pinball_skill",
        "quantile_bound",
        "r2_skill",
        "rank_agreement",
        "retention",
        "retention_scorer",
        "rows_needed",
        "top_k_agreement",
        "total_variation",
    ],
    "skdistill.monitoring": ["Alarm", "Monitor", "MonitorStatus"],
    "skdistill.samplers": [
        "MUNGE",
        "SPUNGE",
        "Disagreement",
        "Interpolation",
        "Jitter",
        "LeafSwap",
        "MarginalResampling",
        "Mixture",
        "TeacherBins",
        "TermSwap",
        "UniformBox",
        "as_sampler",
        "choose_from_pool",
    ],
    "skdistill.students": [
        "CompactBoostingClassifier",
        "CompactBoostingRegressor",
        "CompactHybridClassifier",
        "CompactHybridRegressor",
        "CompactInheritedClassifier",
        "CompactInheritedRegressor",
        "CompactKernelClassifier",
        "CompactKernelRegressor",
        "CompactLinearClassifier",
        "CompactLinearRegressor",
        "CompactMLPClassifier",
        "CompactMLPRegressor",
        "CompactTreeClassifier",
        "CompactTreeRegressor",
        "Family",
        "ParameterLimit",
        "inner_representation",
        "register_family",
        "teach_classifier",
        "teach_regressor",
    ],
    "skdistill.targets": [
        "TargetCompressor",
        "TargetLink",
        "blend",
        "centred_logits",
        "fit_margin_scale",
        "logistic_schedule",
        "loss_weights",
        "one_hot",
        "scheduled_temperature",
        "soften",
        "softmax",
        "teacher_bounded",
        "teacher_bounded_loss",
    ],
}
EXAMPLES_TOO = [
    *(error for error in vars(skdistill.exceptions).values() if inspect.isclass(error)),
    skdistill.transfer.TransferSet,
    skdistill.transfer.TransferSummary,
    Teacher,
    TeacherEnsemble,
]
"""Public by their modules, which have no list of names."""

OBJECTS = [
    pytest.param(getattr(import_module(module), name), id=f"{module}.{name}")
    for module, names in PUBLIC.items()
    for name in names
    if not inspect.ismodule(getattr(import_module(module), name))
]


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names(module):
    """Exactly these names are public."""
    assert sorted(import_module(module).__all__) == sorted(PUBLIC[module])


def test_errors_are_of_one_family():
    """Every error derives from SkdistillError and from a built-in one; what is only warned of is no error."""
    classes = [value for value in vars(skdistill.exceptions).values() if inspect.isclass(value)]
    errors = [value for value in classes if not issubclass(value, Warning)]
    assert len(errors) == 12
    for error in errors:
        assert issubclass(error, skdistill.exceptions.SkdistillError)
        assert error is skdistill.exceptions.SkdistillError or issubclass(error, ValueError)


def is_protocol(thing):
    return getattr(thing, "_is_protocol", False)


@pytest.mark.parametrize("thing", OBJECTS)
def test_parameters_are_documented_with_their_defaults(thing):
    """Documented parameters, their order and their defaults are those of the code."""
    doc = ClassDoc(thing) if inspect.isclass(thing) else FunctionDoc(thing)
    documented = {entry.name: entry.type for entry in doc["Parameters"]}
    parameters = {name: parameter for name, parameter in inspect.signature(thing).parameters.items() if name != "self"}
    if is_protocol(thing):
        parameters = {}  # nobody makes one
    flat = [name.strip() for names in documented for name in names.split(",")]
    assert flat == list(parameters)
    for names, described in documented.items():
        for name in names.split(","):
            default = parameters[name.strip()].default
            if default is inspect.Parameter.empty:
                assert "default" not in described
            else:
                stated = described.rsplit("default=", 1)[-1].strip().strip("`")
                forms = [form.replace("_", "") for form in (repr(default), str(default), f'"{default}"')]
                assert stated.replace("_", "") in forms, (name, described)


@pytest.mark.parametrize("thing", [*OBJECTS, *EXAMPLES_TOO])
def test_everything_public_has_a_purpose_and_an_example(thing):
    """A summary line, and an example (which the doctests run)."""
    doc = ClassDoc(thing) if inspect.isclass(thing) else FunctionDoc(thing)
    assert doc["Summary"]
    assert any(">>>" in line for line in doc["Examples"])


def test_package_is_typed():
    """Type checkers see the annotations."""
    assert (PACKAGE / "py.typed").exists()
