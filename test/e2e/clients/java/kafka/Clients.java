import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeader;

/** What programs do with kafka-clients.  Clients BOOTSTRAP SCENARIO; throws where something is not as expected. */
public class Clients {
    private static String bootstrap;
    /** An hour ago: records of long ago go when the log looks for old ones. */
    private static final long BASE = System.currentTimeMillis() - 3_600_000L;

    private static void check(boolean holds, String what) {
        if (!holds)
            throw new AssertionError(what);
    }

    private static Properties settings(String... more) {
        Properties all = new Properties();
        all.put("bootstrap.servers", bootstrap);
        for (String kind : new String[] {"String"}) {
            all.put("key.serializer", "org.apache.kafka.common.serialization." + kind + "Serializer");
            all.put("value.serializer", "org.apache.kafka.common.serialization." + kind + "Serializer");
            all.put("key.deserializer", "org.apache.kafka.common.serialization." + kind + "Deserializer");
            all.put("value.deserializer", "org.apache.kafka.common.serialization." + kind + "Deserializer");
        }
        for (int i = 0; i < more.length; i += 2)
            all.put(more[i], more[i + 1]);
        return all;
    }

    private static void create(String topic, int partitions) throws Exception {
        try (Admin admin = Admin.create(settings())) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
    }

    private static void produce(String topic, int partitions, int from, int to, String... more) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings(more))) {
            List<java.util.concurrent.Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = from; i < to; i++)
                sent.add(producer.send(new ProducerRecord<>(topic, i % partitions, BASE + i, "k" + i, "" + i,
                        List.of(new RecordHeader("h", ("" + i).getBytes(StandardCharsets.UTF_8))))));
            for (java.util.concurrent.Future<RecordMetadata> one : sent)
                one.get();
        }
    }

    private static KafkaConsumer<String, String> consumer(String group, String... more) {
        Properties all = settings(more);
        all.put("group.id", group);
        all.put("auto.offset.reset", "earliest");
        all.put("enable.auto.commit", "false");
        all.put("heartbeat.interval.ms", "200");
        all.put("metadata.max.age.ms", "500");
        return new KafkaConsumer<>(all);
    }

    private static void until(String what, BooleanSupplier done, List<KafkaConsumer<String, String>> members, List<String> seen) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!done.getAsBoolean()) {
            check(System.nanoTime() < deadline, "waited in vain for " + what + ", saw " + seen.size());
            for (KafkaConsumer<String, String> member : members)
                for (ConsumerRecord<String, String> record : member.poll(Duration.ofMillis(50)))
                    seen.add(record.value());
        }
    }

    private static Set<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "" + i).collect(Collectors.toSet());
    }

    static void codecs() throws Exception {
        int at = 0;
        create("j-codecs", 1);
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            produce("j-codecs", 1, at, at + 500, "compression.type", codec, "linger.ms", "20");
            at += 500;
        }
        try (KafkaConsumer<String, String> one = consumer("j-codecs", "isolation.level", "read_committed")) {
            TopicPartition only = new TopicPartition("j-codecs", 0);
            one.assign(List.of(only));
            List<ConsumerRecord<String, String>> all = new ArrayList<>();
            while (all.size() < at)
                one.poll(Duration.ofSeconds(10)).forEach(all::add);
            for (int i = 0; i < at; i++) {
                ConsumerRecord<String, String> record = all.get(i);
                check(record.offset() == i && record.value().equals("" + i) && record.key().equals("k" + i), "record " + i);
                check(record.timestamp() == BASE + i, "timestamp " + i);
                check(new String(record.headers().lastHeader("h").value()).equals("" + i), "header " + i);
            }
            one.seek(only, 1234);
            check(one.poll(Duration.ofSeconds(10)).iterator().next().offset() == 1234, "seek");
            one.pause(List.of(only));
            check(one.poll(Duration.ofMillis(300)).isEmpty(), "pause");
            one.resume(List.of(only));
            check(!one.poll(Duration.ofSeconds(10)).isEmpty(), "resume");
            OffsetAndTimestamp found = one.offsetsForTimes(Map.of(only, BASE + 777)).get(only);
            check(found.offset() == 777 && found.timestamp() == BASE + 777, "offsetsForTimes");
            check(one.offsetsForTimes(Map.of(only, BASE + 10 * 86_400_000L)).get(only) == null, "no such time");
            check(one.beginningOffsets(List.of(only)).get(only) == 0 && one.endOffsets(List.of(only)).get(only) == at, "ends");
        }
    }

    static void big() throws Exception {
        String large = "x".repeat(3 << 20);
        try (Admin admin = Admin.create(settings())) {
            NewTopic topic = new NewTopic("j-big", 1, (short) 1).configs(Map.of("max.message.bytes", "5000000"));
            admin.createTopics(List.of(topic)).all().get();
        }
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings("max.request.size", "5000000"))) {
            producer.send(new ProducerRecord<>("j-big", large)).get();
        }
        try (KafkaConsumer<String, String> one = consumer("j-big")) {
            one.subscribe(List.of("j-big"));
            List<String> seen = new ArrayList<>();
            until("the message", () -> seen.size() == 1, List.of(one), seen);
            check(seen.get(0).equals(large), "the message");
        }
    }

    private static final class Moves implements ConsumerRebalanceListener {
        final Set<TopicPartition> revoked = new HashSet<>(), lost = new HashSet<>();

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> parts) {
            revoked.addAll(parts);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> parts) {
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> parts) {
            lost.addAll(parts);
        }
    }

    static void cooperative() throws Exception {
        String[] sticky = {"partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"};
        List<String> seen = new ArrayList<>();
        Moves moves = new Moves();
        create("j-coop", 4);
        produce("j-coop", 4, 0, 40);
        KafkaConsumer<String, String> one = consumer("j-coop", sticky), two = consumer("j-coop", sticky);
        one.subscribe(List.of("j-coop"), moves);
        until("all", () -> seen.size() == 40, List.of(one), seen);
        one.commitSync();
        two.subscribe(List.of("j-coop"));
        until("a share each", () -> one.assignment().size() == 2 && two.assignment().size() == 2, List.of(one, two), seen);
        check(moves.revoked.size() == 2 && moves.lost.isEmpty(), "only two partitions move: " + moves.revoked);
        produce("j-coop", 4, 40, 80);
        until("the next", () -> seen.size() == 80, List.of(one, two), seen);
        two.commitSync();
        two.close();
        until("all back", () -> one.assignment().size() == 4, List.of(one), seen);
        produce("j-coop", 4, 80, 120);
        until("the last", () -> seen.size() >= 120, List.of(one), seen);
        one.commitSync();
        one.close();
        check(seen.size() == 120 && new HashSet<>(seen).equals(numbers(0, 120)), "each once");
        try (KafkaConsumer<String, String> again = consumer("j-coop", sticky)) {
            List<String> rest = new ArrayList<>();
            again.subscribe(List.of("j-coop"));
            produce("j-coop", 4, 120, 124);
            until("what is new", () -> rest.size() >= 4, List.of(again), rest);
            check(new HashSet<>(rest).equals(numbers(120, 124)), "resumes: " + rest);
        }
    }

    static void statics() throws Exception {
        List<String> seen = new ArrayList<>();
        Moves moves = new Moves();
        create("j-static", 4);
        KafkaConsumer<String, String> one = consumer("j-static", "group.instance.id", "one");
        KafkaConsumer<String, String> two = consumer("j-static", "group.instance.id", "two");
        one.subscribe(List.of("j-static"), moves);
        two.subscribe(List.of("j-static"));
        until("a share each", () -> one.assignment().size() == 2 && two.assignment().size() == 2, List.of(one, two), seen);
        Set<TopicPartition> had = two.assignment();
        moves.revoked.clear();
        two.close();
        KafkaConsumer<String, String> back = consumer("j-static", "group.instance.id", "two");
        back.subscribe(List.of("j-static"));
        until("its share", () -> back.assignment().size() == 2, List.of(one, back), seen);
        check(back.assignment().equals(had) && moves.revoked.isEmpty(), "nothing moves");
        try (Admin admin = Admin.create(settings())) {
            Set<String> instances = admin.describeConsumerGroups(List.of("j-static")).all().get().get("j-static").members().stream()
                    .map(m -> m.groupInstanceId().get()).collect(Collectors.toSet());
            check(instances.equals(Set.of("one", "two")), "instances " + instances);
        }
        one.close();
        back.close();
    }

    static void regex() throws Exception {
        List<String> seen = new ArrayList<>();
        create("j-regex-a", 2);
        try (KafkaConsumer<String, String> one = consumer("j-regex"); Admin admin = Admin.create(settings())) {
            one.subscribe(Pattern.compile("j-regex-.*"));
            until("the first topic", () -> one.assignment().size() == 2, List.of(one), seen);
            create("j-regex-b", 1);
            until("a new topic", () -> one.assignment().size() == 3, List.of(one), seen);
            admin.createPartitions(Map.of("j-regex-a", NewPartitions.increaseTo(5))).all().get();
            until("new partitions", () -> one.assignment().size() == 6, List.of(one), seen);
            produce("j-regex-a", 5, 0, 10);
            until("records", () -> seen.size() == 10, List.of(one), seen);
        }
    }

    static void transactions() throws Exception {
        long begun = System.nanoTime();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings("transactional.id", "t"))) {
            producer.initTransactions();
            throw new AssertionError("transactions are not there");
        } catch (KafkaException refused) {
            System.out.println(refused);
        }
        check(System.nanoTime() - begun < 10_000_000_000L, "told at once");
    }

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        try {
            Clients.class.getDeclaredMethod(arguments[1]).invoke(null);
        } catch (java.lang.reflect.InvocationTargetException thrown) {
            throw thrown.getCause() instanceof Exception ? (Exception) thrown.getCause() : new Exception(thrown.getCause());
        }
    }
}
