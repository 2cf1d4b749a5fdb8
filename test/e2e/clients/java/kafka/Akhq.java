import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.SecurityDisabledException;

/** The questions that AKHQ's pages ask of a cluster, by the same calls of kafka-clients.  Akhq BOOTSTRAP */
public class Akhq {
    private static void check(boolean holds, String what) {
        if (!holds)
            throw new AssertionError(what);
    }

    private static Map<String, ConfigEntry> configs(Admin admin, ConfigResource.Type type, String name) throws Exception {
        ConfigResource resource = new ConfigResource(type, name);
        Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        Map<String, ConfigEntry> found = new HashMap<>();
        config.entries().forEach(entry -> found.put(entry.name(), entry));
        return found;
    }

    private static void nodes(Admin admin) throws Exception {
        DescribeClusterResult cluster = admin.describeCluster();
        check(cluster.nodes().get().size() == 1 && cluster.controller().get().id() == 1, "nodes");
        check(!cluster.clusterId().get().isEmpty(), "cluster id");
        Map<String, ConfigEntry> broker = configs(admin, ConfigResource.Type.BROKER, "1");
        check(broker.size() > 200 && broker.get("node.id").isReadOnly(), "a broker's settings");
        Map<String, LogDirDescription> folders = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
        LogDirDescription folder = folders.values().iterator().next();
        check(folder.totalBytes().getAsLong() > folder.usableBytes().getAsLong(), "the disk's size");
        check(folder.replicaInfos().get(new TopicPartition("akhq", 0)).size() > 1000, "a partition's size");
    }

    private static void topics(Admin admin, KafkaConsumer<byte[], byte[]> consumer) throws Exception {
        Set<String> names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
        check(names.contains("akhq") && names.contains("__consumer_offsets"), "names " + names);
        Map<String, TopicDescription> all = admin.describeTopics(names).allTopicNames().get();
        check(all.get("__consumer_offsets").isInternal() && all.get("akhq").partitions().size() == 2, "topics");
        TopicPartition first = new TopicPartition("akhq", 0);
        check(consumer.beginningOffsets(List.of(first)).get(first) == 0, "begin");
        check(consumer.endOffsets(List.of(first)).get(first) == 100, "end");
        consumer.assign(List.of(first));
        consumer.seek(first, 90);
        int seen = 0;
        while (seen < 10)
            seen += consumer.poll(Duration.ofSeconds(10)).count();
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, "akhq");
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", "7200000"), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
        ConfigEntry retention = configs(admin, ConfigResource.Type.TOPIC, "akhq").get("retention.ms");
        check(retention.value().equals("7200000") && retention.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "set");
        admin.createPartitions(Map.of("akhq", NewPartitions.increaseTo(3))).all().get();
        admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(40))).all().get();
        check(consumer.beginningOffsets(List.of(first)).get(first) == 40, "emptied");
    }

    private static void groups(Admin admin) throws Exception {
        TopicPartition first = new TopicPartition("akhq", 0);
        check(admin.listConsumerGroups().all().get().stream().anyMatch(g -> g.groupId().equals("akhq-group")), "groups");
        ConsumerGroupDescription group = admin.describeConsumerGroups(List.of("akhq-group")).all().get().get("akhq-group");
        check(group.members().isEmpty() && group.coordinator().id() == 1, "a group");
        check(admin.listConsumerGroupOffsets("akhq-group").partitionsToOffsetAndMetadata().get().get(first).offset() == 7, "offset");
        admin.alterConsumerGroupOffsets("akhq-group", Map.of(first, new OffsetAndMetadata(3))).all().get();
        check(admin.listConsumerGroupOffsets("akhq-group").partitionsToOffsetAndMetadata().get().get(first).offset() == 3, "set back");
        admin.deleteConsumerGroupOffsets("akhq-group", Set.of(first)).all().get();
        check(admin.listConsumerGroupOffsets("akhq-group").partitionsToOffsetAndMetadata().get().isEmpty(), "forgotten");
        admin.deleteConsumerGroups(List.of("akhq-group")).all().get();
    }

    private static void acls(Admin admin) throws Exception {
        try {
            admin.describeAcls(AclBindingFilter.ANY).values().get();
            throw new AssertionError("there are no ACLs");
        } catch (java.util.concurrent.ExecutionException refused) {
            check(refused.getCause() instanceof SecurityDisabledException, "" + refused.getCause());
        }
    }

    private static void fill(Admin admin, Properties settings, KafkaConsumer<byte[], byte[]> consumer) throws Exception {
        admin.createTopics(List.of(new NewTopic("akhq", 2, (short) 1))).all().get();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
            for (int i = 0; i < 100; i++)
                producer.send(new ProducerRecord<>("akhq", 0, null, new byte[100])).get();
        }
        consumer.assign(List.of(new TopicPartition("akhq", 0)));
        consumer.commitSync(Map.of(new TopicPartition("akhq", 0), new OffsetAndMetadata(7)));
    }

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("group.id", "akhq-group");
        for (String side : new String[] {"key", "value"}) {
            settings.put(side + ".serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
            settings.put(side + ".deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        }
        settings.put("enable.auto.commit", "false");
        try (Admin admin = Admin.create(settings); KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
            fill(admin, settings, consumer);
            nodes(admin);
            topics(admin, consumer);
            groups(admin);
            acls(admin);
        }
    }
}
