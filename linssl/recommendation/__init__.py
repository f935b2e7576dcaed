"""Which paradigm, augmentation, strength and number of codes suit a task: by held-out scores."""

from linssl.recommendation.facts import Recommended as Recommended
from linssl.recommendation.recommend import recommend as recommend
from linssl.recommendation.recommendation import Recommendation as Recommendation
