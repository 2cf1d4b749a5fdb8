// What programs do with KafkaJS.  node habits.js BOOTSTRAP SCENARIO; throws where something is not as expected.
// NODE_PATH leads to the installed packages.
const assert = require('node:assert/strict');
const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = require('kafkajs');

const [, , bootstrap, scenario] = process.argv;
const kafka = new Kafka({ clientId: 'habits', brokers: [bootstrap], logLevel: logLevel.NOTHING });

async function until(what, done) {
    const deadline = Date.now() + 30000;
    while (!(await done())) {
        assert(Date.now() < deadline, `waited in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

async function withAdmin(work) {
    const admin = kafka.admin();
    await admin.connect();
    try {
        return await work(admin);
    } finally {
        await admin.disconnect();
    }
}

const create = (topic, numPartitions = 1) =>
    withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }] }));

async function send(topic, messages, options = {}) {
    const producer = kafka.producer({ idempotent: !!options.idempotent });
    await producer.connect();
    const sent = await producer.send({ topic, messages, acks: -1, ...options });
    await producer.disconnect();
    return sent;
}

async function member(groupId, topics, seen, options = {}) {
    const consumer = kafka.consumer({ groupId, heartbeatInterval: 200, sessionTimeout: 6000, maxWaitTimeInMs: 200, ...options });
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    const assigned = {};
    consumer.on(consumer.events.GROUP_JOIN, (event) => Object.assign(assigned, { now: event.payload.memberAssignment }));
    await consumer.run({
        eachMessage: async ({ topic, partition, message }) => {
            seen.push({ topic, partition, ...message, value: message.value && message.value.toString() });
        },
    });
    return { consumer, assigned, partitions: () => Object.values(assigned.now || {}).flat().length };
}

const numbered = (from, to) =>
    Array.from({ length: to - from }, (_, i) => ({ value: `${from + i}`, partition: (from + i) % 4 }));
const values = (seen) => seen.map((message) => Number(message.value)).sort((a, b) => a - b);
const base = Date.now() - 3600000; // an hour ago: records of long ago go when the log looks for old ones
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

const scenarios = {
    async codecs() {
        await create('js-codecs');
        for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
            const messages = range(0, 500).map((i) => ({
                key: `k${i}`,
                value: i % 100 === 99 ? null : `v${i}`,
                headers: { h: `${i}` },
                timestamp: `${base + i}`,
            }));
            await send('js-codecs', messages, { compression, idempotent: true });
        }
        const seen = [];
        const { consumer } = await member('js-codecs', ['js-codecs'], seen, { readUncommitted: false });
        await until('all messages', () => seen.length >= 1000);
        await consumer.disconnect();
        seen.forEach((message, i) => {
            assert.equal(message.offset, `${i}`);
            assert.equal(message.value, i % 100 === 99 ? null : `v${i % 500}`);
            assert.equal(message.key.toString(), `k${i % 500}`);
            assert.equal(message.headers.h.toString(), `${i % 500}`);
            assert.equal(message.timestamp, `${base + (i % 500)}`);
        });
    },

    async groups() {
        await create('js-groups', 4);
        await send('js-groups', numbered(0, 40));
        const seen = [];
        const one = await member('js-groups', ['js-groups'], seen);
        await until('everything', () => seen.length === 40);
        const two = await member('js-groups', ['js-groups'], seen);
        await until('a share each', () => one.partitions() === 2 && two.partitions() === 2);
        await send('js-groups', numbered(40, 80));
        await until('the next', () => seen.length >= 80);
        await two.consumer.disconnect();
        await until('all back', () => one.partitions() === 4);
        await send('js-groups', numbered(80, 120));
        await until('the last', () => seen.length >= 120);
        await one.consumer.disconnect();
        const rest = [];
        await send('js-groups', numbered(120, 124));
        const again = await member('js-groups', ['js-groups'], rest);
        await until('what is new', () => rest.length >= 4);
        await again.consumer.disconnect();
        assert.deepEqual(values(seen), range(0, 120));
        assert.deepEqual(values(rest), range(120, 124));
    },

    async seeks() {
        await create('js-seeks');
        await send('js-seeks', range(0, 100).map((i) => ({ value: `${i}`, timestamp: `${base + i * 10}` })));
        const seen = [];
        const { consumer } = await member('js-seeks', ['js-seeks'], seen);
        await until('everything', () => seen.length === 100);
        consumer.pause([{ topic: 'js-seeks' }]);
        consumer.seek({ topic: 'js-seeks', partition: 0, offset: '60' });
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert.equal(seen.length, 100);
        consumer.resume([{ topic: 'js-seeks' }]);
        await until('the rest again', () => seen.length >= 140);
        assert.equal(seen[100].value, '60');
        await consumer.disconnect();
        await withAdmin(async (admin) => {
            const [found] = await admin.fetchTopicOffsetsByTimestamp('js-seeks', base + 501);
            assert.equal(found.offset, '51');
            const [ends] = await admin.fetchTopicOffsets('js-seeks');
            assert.deepEqual([ends.low, ends.high], ['0', '100']);
        });
    },

    async pattern() {
        await create('js-pattern-a', 2);
        await create('js-pattern-b', 1);
        await send('js-pattern-a', [{ value: 'a' }]);
        await send('js-pattern-b', [{ value: 'b' }]);
        const seen = [];
        const { consumer } = await member('js-pattern', [/^js-pattern-.*/], seen);
        await until('both', () => seen.length === 2);
        await consumer.disconnect();
    },

    async admin() {
        await withAdmin(async (admin) => {
            const topic = 'js-admin';
            const entries = [{ name: 'retention.ms', value: '7200000' }];
            const wanted = { topic, numPartitions: 2, replicationFactor: 1, configEntries: entries };
            assert.equal(await admin.createTopics({ topics: [wanted], waitForLeaders: true }), true);
            assert.equal(await admin.createTopics({ topics: [wanted] }), false);
            assert((await admin.listTopics()).includes(topic));
            await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
            const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
            assert.equal(metadata.topics[0].partitions.length, 4);
            const { brokers, controller, clusterId } = await admin.describeCluster();
            assert(brokers.length === 1 && controller === 1 && clusterId.length > 0);
            const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
            await admin.alterConfigs({
                resources: [{ ...resource, configEntries: [{ name: 'cleanup.policy', value: 'compact,delete' }] }],
            });
            const described = await admin.describeConfigs({ resources: [resource] });
            const policy = described.resources[0].configEntries.find((entry) => entry.configName === 'cleanup.policy');
            assert.equal(policy.configValue, 'compact,delete');
            await send(topic, range(0, 10).map((i) => ({ key: `${i}`, value: 'v', partition: 0 })));
            await admin.setOffsets({ groupId: 'js-admin', topic, partitions: [{ partition: 0, offset: '7' }] });
            const [offsets] = await admin.fetchOffsets({ groupId: 'js-admin', topics: [topic] });
            assert.equal(offsets.partitions.find((p) => p.partition === 0).offset, '7');
            await admin.resetOffsets({ groupId: 'js-admin', topic, earliest: true });
            assert((await admin.listGroups()).groups.some((group) => group.groupId === 'js-admin'));
            const groups = await admin.describeGroups(['js-admin']);
            assert.equal(groups.groups[0].state, 'Empty');
            await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
            const ends = await admin.fetchTopicOffsets(topic);
            assert.equal(ends.find((p) => p.partition === 0).low, '4');
            await admin.deleteGroups(['js-admin']);
            await admin.deleteTopics({ topics: [topic] });
            assert(!(await admin.listTopics()).includes(topic));
        });
    },

    async transactions() {
        const producer = kafka.producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1 });
        const begun = Date.now();
        const attempt = producer.connect().then(() => producer.transaction());
        await assert.rejects(attempt, { name: 'KafkaJSGroupCoordinatorNotFound', retriable: false });
        assert(Date.now() - begun < 10000);
        await producer.disconnect();
    },
};

scenarios[scenario]().catch((error) => {
    console.error(error);
    process.exit(1);
});
