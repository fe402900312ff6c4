"""The part of MASSIVE's ontology that the grammar speaks: label orders and the slot of each kind of filler.

Source: the class label orders of `AmazonScience/massive` on the Hub, which Speech-MASSIVE keeps.
"""

from __future__ import annotations

SCENARIOS: tuple[str, ...] = (
    "social", "transport", "calendar", "play", "news", "datetime", "recommendation", "email", "iot",
    "general", "audio", "lists", "qa", "cooking", "takeaway", "music", "alarm", "weather",
)  # fmt: skip

INTENTS: tuple[str, ...] = (
    "datetime_query", "iot_hue_lightchange", "transport_ticket", "takeaway_query", "qa_stock",
    "general_greet", "recommendation_events", "music_dislikeness", "iot_wemo_off", "cooking_recipe",
    "qa_currency", "transport_traffic", "general_quirky", "weather_query", "audio_volume_up",
    "email_addcontact", "takeaway_order", "email_querycontact", "iot_hue_lightup",
    "recommendation_locations", "play_audiobook", "lists_createoradd", "news_query", "alarm_query",
    "iot_wemo_on", "general_joke", "qa_definition", "social_query", "music_settings",
    "audio_volume_other", "calendar_remove", "iot_hue_lightdim", "calendar_query", "email_sendemail",
    "iot_cleaning", "audio_volume_down", "play_radio", "cooking_query", "datetime_convert", "qa_maths",
    "iot_hue_lightoff", "iot_hue_lighton", "transport_query", "music_likeness", "email_query",
    "play_music", "audio_volume_mute", "social_post", "alarm_set", "qa_factoid", "calendar_set",
    "play_game", "alarm_remove", "lists_remove", "transport_taxi", "recommendation_movies", "iot_coffee",
    "music_query", "play_podcasts", "lists_query",
)  # fmt: skip

LOCALES: dict[str, str] = {"de": "de-DE", "fr": "fr-FR", "en": "en-US"}

# A kind is a list of fillers with one grammatical form; `None` marks words that are no entity in MASSIVE.
SLOT_OF_KIND: dict[str, str | None] = {
    "time": "time",
    "date": "date",
    "timeofday": "timeofday",
    "city": "place_name",
    "country": "place_name",
    "country_gen": "place_name",
    "country_in": "place_name",
    "spot": "place_name",
    "person": "person",
    "relation": "relation",
    "event": "event_name",
    "list": "list_name",
    "food": "food_type",
    "food_def": "food_type",
    "dish": "food_type",
    "dish_some": "food_type",
    "eatery": "business_name",
    "artist": "artist_name",
    "song": "song_name",
    "genre": "music_genre",
    "radio": "radio_name",
    "news": "news_topic",
    "weather": "weather_descriptor",
    "color": "color_type",
    "room": "house_place",
    "device": "device_type",
    "currency": "currency_name",
    "word": "definition_word",
    "business": "business_type",
    "transport": "transport_type",
    "media": "media_type",
    "joke": "joke_type",
    "coffee": "coffee_type",
    "amount": "change_amount",
    "info": "personal_info",
    "number": None,
    "message": None,
}


def action_of(intent: str) -> str:
    """Return the action of an intent: `hue_lightoff` of `iot_hue_lightoff`."""
    return intent.partition("_")[2]


def scenario_of(intent: str) -> str:
    """Return the scenario of an intent: `iot` of `iot_hue_lightoff`."""
    return intent.partition("_")[0]
