"""Students: compact estimators of our own, and the bridge that brings soft targets to anybody else's."""

from ._boosting import CompactBoostingClassifier, CompactBoostingRegressor
from ._families import Family, ParameterLimit, register_family
from ._hybrid import CompactHybridClassifier, CompactHybridRegressor
from ._inherit import CompactInheritedClassifier, CompactInheritedRegressor
from ._inner_representation import inner_representation
from ._kernel import CompactKernelClassifier, CompactKernelRegressor
from ._linear import CompactLinearClassifier, CompactLinearRegressor
from ._mlp import CompactMLPClassifier, CompactMLPRegressor
from ._teaching import teach_classifier, teach_regressor
from ._tree import CompactTreeClassifier, CompactTreeRegressor

__all__ = [
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
]
