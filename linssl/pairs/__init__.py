"""Who is paired with whom. Pairing acts on clean data; augmentations come after, by `augment`."""

from linssl.pairs.black_box import PairEstimate as PairEstimate
from linssl.pairs.black_box import estimate_pair as estimate_pair
from linssl.pairs.classes import SemanticPairs as SemanticPairs
from linssl.pairs.classes import same_class as same_class
from linssl.pairs.confusion import another_class as another_class
from linssl.pairs.confusion import class_redrawn as class_redrawn
from linssl.pairs.confusion import within_superclass as within_superclass
from linssl.pairs.groups import class_tuples as class_tuples
from linssl.pairs.groups import groups as groups
from linssl.pairs.held import Held as Held
from linssl.pairs.held import held_by as held_by
from linssl.pairs.modalities import two_modalities as two_modalities
from linssl.pairs.same_instance import one_hot as one_hot
from linssl.pairs.same_instance import same_instance as same_instance
from linssl.pairs.same_instance import same_instance_moments as same_instance_moments
from linssl.pairs.same_instance import same_instance_population as same_instance_population
from linssl.pairs.same_instance import with_label as with_label
from linssl.pairs.streamed import stream_moments as stream_moments
