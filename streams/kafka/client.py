"""The names of confluent-kafka that the bus uses: outside streams/kafka they come from here, from nowhere else."""

from confluent_kafka import OFFSET_BEGINNING as OFFSET_BEGINNING
from confluent_kafka import OFFSET_END as OFFSET_END
from confluent_kafka import Consumer as Consumer
from confluent_kafka import KafkaError as KafkaError
from confluent_kafka import KafkaException as KafkaException
from confluent_kafka import Message as Message
from confluent_kafka import Producer as Producer
from confluent_kafka import TopicCollection as TopicCollection
from confluent_kafka import TopicPartition as TopicPartition
from confluent_kafka.admin import AdminClient as AdminClient
