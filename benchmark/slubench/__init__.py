"""slubench: a benchmark of fine-tuning strategies for spoken language understanding.

What a declaration of a task, a strategy or a model needs is exported here; everything else is
imported from the module that owns it. Importing this package loads neither torch nor pyarrow.
"""

from slubench._checkout import extend_path
from slubench.corpus import Corpus, Join, Layout, Place
from slubench.errors import SlubenchError
from slubench.evaluate_modules import evaluate_path
from slubench.meaning import Entity, Meaning
from slubench.model import Model, Prompt, Recipe
from slubench.pool import Pool
from slubench.strategy import SPEECH, TEXT, Example, Modality, Stage, Strategy
from slubench.task import Task
from slubench.utterance import Clip, Utterance

__version__ = "0.1.0"

__all__ = [
    "SPEECH",
    "TEXT",
    "Clip",
    "Corpus",
    "Entity",
    "Example",
    "Join",
    "Layout",
    "Meaning",
    "Modality",
    "Model",
    "Place",
    "Pool",
    "Prompt",
    "Recipe",
    "SlubenchError",
    "Stage",
    "Strategy",
    "Task",
    "Utterance",
    "__version__",
    "evaluate_path",
]

extend_path(__path__)
