"""Names of the shipped families that small random checkpoints are built of."""

SHIPPED = ("voxtral", "qwen2_5_omni", "audioflamingo3")
