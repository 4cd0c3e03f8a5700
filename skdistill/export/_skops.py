"""The types in files that skops writes of students."""

TYPES = {
    "skdistill._encoding": ["TableEncoder"],
    "skdistill._losses": ["BinaryCrossEntropy", "OneVsRestCrossEntropy", "SoftmaxCrossEntropy", "SquaredError"],
    "skdistill.compiled._columns": ["Columns"],
    "skdistill.compiled._computed": ["Computed", "ComputedColumn"],
    "skdistill.compiled._decision": ["Decision"],
    "skdistill.compiled._design": ["Design"],
    "skdistill.compiled._exact_columns": ["ExactColumns"],
    "skdistill.compiled._forest": ["Forest"],
    "skdistill.compiled._intervals": ["ConformalIntervals"],
    "skdistill.compiled._isotonic": ["Isotonic"],
    "skdistill.compiled._kernel": ["Landmarks"],
    "skdistill.compiled._linear": ["Linear"],
    "skdistill.compiled._model": ["CompiledModel"],
    "skdistill.compiled._network": ["Network"],
    "skdistill.compiled._sum": ["Sum"],
    "skdistill.convert._wrappers": ["Unwrapped"],
    "skdistill.estimators._classifier": ["DistilledClassifier"],
    "skdistill.estimators._decision": ["LabelComparison"],
    "skdistill.estimators._regressor": ["DistilledRegressor"],
    "skdistill.estimators._soft_weight": ["Comparison", "SoftWeightChoice"],
    "skdistill.samplers._disagreement": ["Disagreement"],
    "skdistill.samplers._interpolation": ["Interpolation"],
    "skdistill.samplers._jitter": ["Jitter"],
    "skdistill.samplers._leaf_swap": ["LeafSwap"],
    "skdistill.samplers._marginal": ["MarginalResampling"],
    "skdistill.samplers._mixture": ["Mixture"],
    "skdistill.samplers._munge": ["MUNGE"],
    "skdistill.samplers._spunge": ["SPUNGE"],
    "skdistill.samplers._term_swap": ["TermSwap"],
    "skdistill.samplers._teacher_bins": ["TeacherBins"],
    "skdistill.samplers._uniform": ["UniformBox"],
    "skdistill.selection._auto_sampler": ["AutoSampler"],
    "skdistill.selection._auto_student": ["AutoStudent"],
    "skdistill.selection._candidates": ["Candidates"],
    "skdistill.selection._sampler_results": ["SamplerResults"],
    "skdistill.selection._student_view": ["StudentView"],
    "skdistill.selection._targets": ["ClassTargets", "ValueTargets"],
    "skdistill.students._boosting": ["CompactBoostingClassifier", "CompactBoostingRegressor"],
    "skdistill.students._calibrated": ["IsotonicClassifier"],
    "skdistill.students._completion": ["CompletedClassifier", "DecodedRegressor", "LinkedRegressor"],
    "skdistill.students._deciding": ["DecidingClassifier"],
    "skdistill.students._hybrid": ["CompactHybridClassifier", "CompactHybridRegressor"],
    "skdistill.students._inner_representation": ["HintReader"],
    "skdistill.students._inherit": ["CompactInheritedClassifier", "CompactInheritedRegressor"],
    "skdistill.students._kernel": ["CompactKernelClassifier", "CompactKernelRegressor"],
    "skdistill.students._linear": ["CompactLinearClassifier", "CompactLinearRegressor"],
    "skdistill.students._mlp": ["CompactMLPClassifier", "CompactMLPRegressor"],
    "skdistill.students._reading": ["Nodes"],
    "skdistill.students._tree": ["CompactTreeClassifier", "CompactTreeRegressor"],
    "skdistill.targets._compression": ["TargetCompressor"],
    "skdistill.targets._links": ["TargetLink"],
    "skdistill.teachers._adapter": ["Teacher"],
    "skdistill.teachers._conventions": ["Convention"],
    "skdistill.teachers._ensemble": ["TeacherEnsemble"],
    "skdistill.teachers._repeatability": ["Repeatability"],
    "skdistill.teachers._seen_rows": ["SeenRows"],
    "skdistill.teachers._steady": ["SteadyTeacher"],
    "skdistill.teachers._usage": ["RemoteUsage"],
    "skdistill.transfer._summary": ["TransferSummary"],
}
"""Names of classes by module."""

MOVED = {"skdistill.transfer": ["TransferSummary"]}
"""Names of classes by the module in which files of earlier versions expect them."""


def skops_trusted_types() -> list[str]:
    """Return the types of this package in the files of models, for ``skops.io.load(path, trusted=...)``.

    skops stores models without pickle and refuses to load types that it does not know. The list contains the compact
    students, compiled models, prediction intervals, distilled estimators, samplers, and the classes of their
    attributes. All of them only hold data. It does not contain the types of other packages: those of a teacher that is
    in the file, or of a student that is not a compact one, are listed by ``skops.io.get_untrusted_types``. Teachers
    that are functions, and families and samplers of your own, are not in the list either.

    Returns
    -------
    types : list of str
        Full names of classes, in alphabetical order.

    Examples
    --------
    >>> from skdistill.export import skops_trusted_types
    >>> types = skops_trusted_types()
    >>> "skdistill.students._tree.CompactTreeClassifier" in types
    True

    ``skops.io.dump(model.student_, "student.skops")`` saves a student, and
    ``skops.io.load("student.skops", trusted=skops_trusted_types())`` loads it.
    """
    modules = [*TYPES.items(), *MOVED.items()]
    return sorted(f"{module}.{name}" for module, names in modules for name in names)
