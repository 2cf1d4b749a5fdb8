WORDS = "Debezium"
