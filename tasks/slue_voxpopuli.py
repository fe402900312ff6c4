"""SLUE-VoxPopuli: speeches in the European Parliament, labelled with named entities.

Shon et al. 2022, "SLUE: New Benchmark Tasks for Spoken Language Understanding Evaluation on Natural Speech",
arXiv 2111.10367, with the seven combined types that the paper scores. There are no intents: all rows have the
same, so that the entities alone tell strategies apart.
"""

from slubench import Corpus, HubRepo, Task
from slubench.data.formats.table import Columns, table

SLUE_VOXPOPULI = Corpus(
    name="slue-voxpopuli",
    locales={"en": "en"},
    layouts=(
        table(
            ("voxpopuli/{split}-*.parquet",),
            Columns(
                text="normalized_text",
                intent="",
                id="id",
                entities="normalized_combined_ner",
                speaker="speaker_id",
                domain="speech",
            ),
            name="SLUE's Parquet files on the Hub",
            hub=HubRepo("asapp/slue", gated=True),
        ),
    ),
    licence="CC0-1.0",
    terms="Accept the conditions of the repository on the Hub.",
    home_page="https://huggingface.co/datasets/asapp/slue",
)

TASK = Task(
    name="slue-voxpopuli",
    corpus=SLUE_VOXPOPULI,
    test_in="en",
    text_in=("en",),
    speech_in=("en",),
    metrics=("slu_f1", "entity_f1", "word_f1", "char_f1", "exact_match", "parse_failures"),
    summary="English speeches in parliament, named entities",
)
