"""Which paradigm, augmentation, strength and number of codes suit a task: by held-out scores."""

from linssl.recommendation.recommend import recommend as recommend
from linssl.recommendation.recommendation import Recommendation as Recommendation
from linssl.recommendation.recommendation import Recommended as Recommended
