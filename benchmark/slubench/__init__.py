"""slubench: a benchmark of fine-tuning strategies for spoken language understanding.

What a declaration of a task, a strategy, a model or a metric needs is exported here; everything else is
imported from the module that owns it. Importing this package loads neither torch nor pyarrow.
"""

from pathlib import Path

from slubench._checkout import extend_path
from slubench.domain.corpus import Corpus, HubRepo, Join, Layout
from slubench.domain.meaning import Entity, Meaning
from slubench.domain.metric import Counting, Metric
from slubench.domain.model import Model, Prompt, Recipe
from slubench.domain.pool import Pool, Unlabelled
from slubench.domain.speech_offer import Candidate, SpeechBudget, SpeechOffer
from slubench.domain.strategy import SPEECH, TEXT, Example, Modality, Stage, Strategy
from slubench.domain.task import Task
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import SlubenchError, unknown

__version__ = "0.1.0"

__all__ = [
    "SPEECH",
    "TEXT",
    "Candidate",
    "Clip",
    "Corpus",
    "Counting",
    "Entity",
    "Example",
    "HubRepo",
    "Join",
    "Layout",
    "Meaning",
    "Metric",
    "Modality",
    "Model",
    "Pool",
    "Prompt",
    "Recipe",
    "SlubenchError",
    "SpeechBudget",
    "SpeechOffer",
    "Stage",
    "Strategy",
    "Task",
    "Unlabelled",
    "Utterance",
    "__version__",
    "evaluate_path",
]

extend_path(__path__)


def evaluate_path(name: str) -> str:
    """The path that `evaluate.load` takes, without network, for a module of this package.

    Args:
        name: `slurp_slu`, `slu_slots`, `massive_slots` or `word_errors`; each has a card beside it.

    Raises:
        UsageError: There is no such module; the message holds the near names.
    """
    folder = Path(__file__).parent / "metrics" / "evaluate_modules"
    names = [path.parent.name for path in folder.glob("*/README.md")]
    if name not in names:
        raise unknown("evaluate module", name, names)
    return str(folder / name)
