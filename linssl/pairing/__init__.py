"""Who is paired with whom. Pairing acts on clean data; augmentations come after, by `augment`."""

from linssl.pairing.classes import SemanticPairs as SemanticPairs
from linssl.pairing.classes import same_class as same_class
from linssl.pairing.confusion import another_class as another_class
from linssl.pairing.confusion import class_redrawn as class_redrawn
from linssl.pairing.confusion import within_superclass as within_superclass
from linssl.pairing.estimate import PairEstimate as PairEstimate
from linssl.pairing.estimate import estimate_pair as estimate_pair
from linssl.pairing.groups import class_tuples as class_tuples
from linssl.pairing.groups import groups as groups
from linssl.pairing.instance import one_hot as one_hot
from linssl.pairing.instance import same_instance as same_instance
from linssl.pairing.instance import same_instance_moments as same_instance_moments
from linssl.pairing.instance import same_instance_population as same_instance_population
from linssl.pairing.instance import with_label as with_label
from linssl.pairing.modalities import two_modalities as two_modalities
