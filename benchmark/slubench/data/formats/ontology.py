"""The ontology of MASSIVE and SLURP: scenarios, intents and slot types.

The orders are those of the class labels of `AmazonScience/massive` on the Hub, which Speech-MASSIVE's
integer columns keep (FitzGerald et al. 2022, arXiv 2204.08582; Bastianelli et al. 2020, arXiv 2011.13205).
"""

from __future__ import annotations

from slubench.errors import DataError

SCENARIOS: tuple[str, ...] = tuple(
    """
    social transport calendar play news datetime recommendation email iot general audio lists qa cooking
    takeaway music alarm weather
    """.split()
)

INTENTS: tuple[str, ...] = tuple(
    """
    datetime_query iot_hue_lightchange transport_ticket takeaway_query qa_stock general_greet
    recommendation_events music_dislikeness iot_wemo_off cooking_recipe qa_currency transport_traffic
    general_quirky weather_query audio_volume_up email_addcontact takeaway_order email_querycontact
    iot_hue_lightup recommendation_locations play_audiobook lists_createoradd news_query alarm_query
    iot_wemo_on general_joke qa_definition social_query music_settings audio_volume_other calendar_remove
    iot_hue_lightdim calendar_query email_sendemail iot_cleaning audio_volume_down play_radio cooking_query
    datetime_convert qa_maths iot_hue_lightoff iot_hue_lighton transport_query music_likeness email_query
    play_music audio_volume_mute social_post alarm_set qa_factoid calendar_set play_game alarm_remove
    lists_remove transport_taxi recommendation_movies iot_coffee music_query play_podcasts lists_query
    """.split()
)

SLOT_TYPES: frozenset[str] = frozenset(
    """
    alarm_type app_name artist_name audiobook_author audiobook_name business_name business_type
    change_amount coffee_type color_type cooking_type currency_name date definition_word device_type
    drink_type email_address email_folder event_name food_type game_name game_type general_frequency
    house_place ingredient joke_type list_name meal_type media_type movie_name movie_type music_album
    music_descriptor music_genre news_topic order_type person personal_info place_name player_setting
    playlist_name podcast_descriptor podcast_name radio_name relation song_name sport_type time time_zone
    timeofday transport_agency transport_descriptor transport_name transport_type weather_descriptor
    """.split()
)


def split_intent(intent: object) -> tuple[str, str]:
    """The scenario and the action of an intent, as in `alarm`, `set`.

    Raises:
        DataError: It is none of the sixty.
    """
    if not isinstance(intent, str) or intent not in INTENTS:
        raise DataError(f"unknown intent {intent!r}; the ontology has {len(INTENTS)}, such as alarm_set")
    scenario, _, action = intent.partition("_")
    return scenario, action


def check_slot_types(types: set[str]) -> None:
    """Refuse slot types that are not in the ontology.

    Raises:
        DataError: Names them.
    """
    unknown = sorted(types - SLOT_TYPES)
    if unknown:
        raise DataError(f"unknown slot type {', '.join(unknown)}; the ontology has {len(SLOT_TYPES)}")


def check_label(column: str, label: object, names: tuple[str, ...], name: str) -> None:
    """Refuse an integer label that differs from its string; None, if a file has no integers, is accepted.

    Args:
        column: The integers' column, for the message.
        label: The integer.
        names: What each integer stands for, in order.
        name: What the string column says.

    Raises:
        DataError: They disagree, or the integer is beyond the ontology.
    """
    if label is None:
        return
    if not isinstance(label, int) or not 0 <= label < len(names):
        raise DataError(f"{column} is {label!r}, out of range; the ontology has {len(names)}")
    if names[label] != name:
        raise DataError(f"{column} {label} means {names[label]!r}, but {column}'s string is {name!r}")
