// What programs do with franz-go and its kadm.  kafka BOOTSTRAP SCENARIO; ends with 1 where something is not as expected.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	bootstrap string
	ctx       context.Context
	base      = time.Now().UnixMilli() - 3600000 // an hour ago: records of long ago go when the log looks for old ones
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(holds bool, format string, args ...any) {
	if !holds {
		panic(fmt.Sprintf(format, args...))
	}
}

func client(options ...kgo.Opt) *kgo.Client {
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap)}, options...)...)
	must(err)
	return cl
}

func withAdmin(work func(*kadm.Client)) {
	adm := kadm.NewClient(client())
	defer adm.Close()
	work(adm)
}

func create(topic string, partitions int32, configs map[string]*string) {
	withAdmin(func(adm *kadm.Client) {
		_, err := adm.CreateTopic(ctx, partitions, 1, configs, topic)
		must(err)
	})
}

func produce(topic string, partitions int, from, to int, options ...kgo.Opt) {
	cl := client(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	defer cl.Close()
	var records []*kgo.Record
	for i := from; i < to; i++ {
		records = append(records, &kgo.Record{
			Topic: topic, Partition: int32(i % partitions), Key: []byte("k" + strconv.Itoa(i)), Value: []byte(strconv.Itoa(i)),
			Headers: []kgo.RecordHeader{{Key: "h", Value: []byte(strconv.Itoa(i))}}, Timestamp: time.UnixMilli(base + int64(i)),
		})
	}
	must(cl.ProduceSync(ctx, records...).FirstErr())
}

// A member polls by itself; what it saw and holds is asked for.
type member struct {
	*kgo.Client
	sync.Mutex
	held map[int32]bool
	lost int
	seen []int
	done chan struct{}
}

func join(group, topic string, options ...kgo.Opt) *member {
	m := &member{held: map[int32]bool{}, done: make(chan struct{})}
	move := func(add bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
			m.Lock()
			defer m.Unlock()
			for _, p := range parts[topic] {
				if add {
					m.held[p] = true
				} else {
					delete(m.held, p)
					m.lost++
				}
			}
		}
	}
	m.Client = client(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(move(true)), kgo.OnPartitionsRevoked(move(false)), kgo.OnPartitionsLost(move(false)),
	}, options...)...)
	go func() {
		defer close(m.done)
		for {
			fetches := m.PollFetches(ctx)
			if fetches.IsClientClosed() || ctx.Err() != nil {
				return
			}
			m.Lock()
			fetches.EachRecord(func(r *kgo.Record) {
				n, _ := strconv.Atoi(string(r.Value))
				m.seen = append(m.seen, n)
			})
			m.Unlock()
		}
	}()
	return m
}

func (m *member) holds() int {
	m.Lock()
	defer m.Unlock()
	return len(m.held)
}

func (m *member) all() []int {
	m.Lock()
	defer m.Unlock()
	sorted := append([]int(nil), m.seen...)
	sort.Ints(sorted)
	return sorted
}

func (m *member) leave() {
	must(m.CommitUncommittedOffsets(ctx))
	m.Close()
	<-m.done
}

func until(what string, done func() bool) {
	for !done() {
		check(ctx.Err() == nil, "waited in vain for %s", what)
		time.Sleep(20 * time.Millisecond)
	}
}

func isRange(seen []int, from, to int) bool {
	if len(seen) != to-from {
		return false
	}
	for i, n := range seen {
		if n != from+i {
			return false
		}
	}
	return true
}

func codecs() {
	create("go-codecs", 1, nil)
	at := 0
	for _, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		produce("go-codecs", 1, at, at+500, kgo.ProducerBatchCompression(codec))
		at += 500
	}
	cl := client(kgo.ConsumeTopics("go-codecs"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer cl.Close()
	for i := 0; i < at; {
		fetches := cl.PollFetches(ctx)
		must(fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			n := strconv.Itoa(i)
			check(r.Offset == int64(i) && string(r.Value) == n && string(r.Key) == "k"+n, "record %d: %v", i, r)
			check(r.Timestamp.UnixMilli() == base+int64(i) && string(r.Headers[0].Value) == n, "record %d: %v", i, r)
			i++
		})
	}
}

func groups() {
	create("go-groups", 4, nil)
	produce("go-groups", 4, 0, 40)
	one := join("go-groups", "go-groups")
	until("everything", func() bool { return len(one.all()) == 40 })
	must(one.CommitUncommittedOffsets(ctx))
	two := join("go-groups", "go-groups")
	until("a share each", func() bool { return one.holds() == 2 && two.holds() == 2 })
	check(one.lost == 2, "the balancer is cooperative: only two partitions move, %d did", one.lost)
	produce("go-groups", 4, 40, 80)
	until("the next", func() bool { return len(one.all())+len(two.all()) == 80 })
	check(len(two.all()) == 20, "two has its share, not %d", len(two.all()))
	two.leave()
	until("all back", func() bool { return one.holds() == 4 })
	produce("go-groups", 4, 80, 120)
	until("the last", func() bool { return len(one.all()) >= 100 })
	one.leave()
	both := append(one.all(), two.all()...)
	sort.Ints(both)
	check(isRange(both, 0, 120), "each once: %v", both)
	produce("go-groups", 4, 120, 124)
	again := join("go-groups", "go-groups")
	until("what is new", func() bool { return len(again.all()) >= 4 })
	check(isRange(again.all(), 120, 124), "resumes: %v", again.all())
	again.leave()
}

func statics() {
	create("go-static", 4, nil)
	one := join("go-static", "go-static", kgo.InstanceID("one"))
	two := join("go-static", "go-static", kgo.InstanceID("two"))
	until("a share each", func() bool { return one.holds() == 2 && two.holds() == 2 })
	lost := one.lost
	two.Close() // static: it does not leave
	<-two.done
	back := join("go-static", "go-static", kgo.InstanceID("two"))
	until("its share", func() bool { return back.holds() == 2 })
	check(one.lost == lost && one.holds() == 2, "nothing moves")
	withAdmin(func(adm *kadm.Client) {
		described, err := adm.DescribeGroups(ctx, "go-static")
		must(err)
		var names []string
		for _, m := range described["go-static"].Members {
			names = append(names, *m.InstanceID)
		}
		sort.Strings(names)
		check(strings.Join(names, " ") == "one two", "instances %v", names)
		left, err := adm.LeaveGroup(ctx, kadm.LeaveGroup("go-static").InstanceIDs("one", "two"))
		must(err)
		must(left.Error())
	})
	one.Close()
	back.Close()
}

func regex() {
	create("go-regex-a", 1, nil)
	cl := client(kgo.ConsumeRegex(), kgo.ConsumeTopics("^go-regex-.*"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMaxAge(300*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond))
	defer cl.Close()
	expect := func(value int) {
		for found := false; !found; {
			fetches := cl.PollFetches(ctx)
			must(fetches.Err())
			fetches.EachRecord(func(r *kgo.Record) { found = found || string(r.Value) == strconv.Itoa(value) })
		}
	}
	produce("go-regex-a", 1, 1, 2)
	expect(1)
	create("go-regex-b", 1, nil)
	produce("go-regex-b", 1, 2, 3)
	expect(2)
}

func big() {
	limit := "10000000"
	create("go-big", 1, map[string]*string{"max.message.bytes": &limit})
	body := bytes.Repeat([]byte("0123456789abcdef"), 500000)
	cl := client(kgo.ProducerBatchMaxBytes(9000000), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ConsumeTopics("go-big"))
	defer cl.Close()
	must(cl.ProduceSync(ctx, &kgo.Record{Topic: "go-big", Value: body}).FirstErr())
	fetches := cl.PollFetches(ctx)
	must(fetches.Err())
	check(bytes.Equal(fetches.Records()[0].Value, body), "the message")
	small := client(kgo.ProducerBatchMaxBytes(12000000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer small.Close()
	err := small.ProduceSync(ctx, &kgo.Record{Topic: "go-big", Value: append(body, body...)[:11000000]}).FirstErr()
	check(errors.Is(err, kerr.MessageTooLarge), "a larger one: %v", err)
}

func transactions() {
	begun := time.Now()
	cl := client(kgo.TransactionalID("t"), kgo.DefaultProduceTopic("go-txn"), kgo.AllowAutoTopicCreation())
	defer cl.Close()
	err := cl.BeginTransaction()
	check(err != nil && strings.Contains(err.Error(), kerr.TransactionalIDAuthorizationFailed.Message), "refused: %v", err)
	check(time.Since(begun) < 10*time.Second, "told at once, not after %v", time.Since(begun))
}

func adminTopics() {
	withAdmin(func(adm *kadm.Client) {
		retention, policy := "7200000", "compact,delete"
		_, err := adm.CreateTopic(ctx, 2, 1, map[string]*string{"retention.ms": &retention}, "go-admin")
		must(err)
		_, err = adm.CreateTopic(ctx, 2, 1, nil, "go-admin")
		check(errors.Is(err, kerr.TopicAlreadyExists), "again: %v", err)
		topics, err := adm.ListTopics(ctx, "go-admin")
		must(err)
		check(len(topics["go-admin"].Partitions) == 2 && topics["go-admin"].ID != kadm.TopicID{}, "topics %v", topics)
		_, err = adm.UpdatePartitions(ctx, 4, "go-admin")
		must(err)
		altered, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "cleanup.policy", Value: &policy}}, "go-admin")
		must(err)
		must(altered[0].Err)
		configs, err := adm.DescribeTopicConfigs(ctx, "go-admin")
		must(err)
		found := map[string]string{}
		for _, c := range configs[0].Configs {
			found[c.Key] = c.MaybeValue()
		}
		check(found["cleanup.policy"] == policy && found["retention.ms"] == retention, "configs %v", found)
		brokers, err := adm.DescribeBrokerConfigs(ctx, 1)
		must(err)
		check(len(brokers[0].Configs) > 200, "a broker's settings")
		produce("go-admin", 1, 0, 100)
		folders, err := adm.DescribeAllLogDirs(ctx, nil)
		must(err)
		check(len(folders) == 1, "log dirs %v", folders)
		after, err := adm.ListOffsetsAfterMilli(ctx, base+51, "go-admin")
		must(err)
		check(after["go-admin"][0].Offset == 51, "by time: %v", after)
		offsets := kadm.Offsets{}
		offsets.AddOffset("go-admin", 0, 40, -1)
		_, err = adm.DeleteRecords(ctx, offsets)
		must(err)
		starts, err := adm.ListStartOffsets(ctx, "go-admin")
		must(err)
		ends, err := adm.ListEndOffsets(ctx, "go-admin")
		must(err)
		check(starts["go-admin"][0].Offset == 40 && ends["go-admin"][0].Offset == 100, "%v %v", starts, ends)
		deleted, err := adm.DeleteTopics(ctx, "go-admin")
		must(err)
		must(deleted["go-admin"].Err)
	})
}

func adminGroups() {
	create("go-admin-groups", 2, nil)
	produce("go-admin-groups", 2, 0, 20)
	m := join("go-admin-groups", "go-admin-groups")
	until("everything", func() bool { return len(m.all()) == 20 })
	withAdmin(func(adm *kadm.Client) {
		described, err := adm.DescribeGroups(ctx, "go-admin-groups")
		must(err)
		check(described["go-admin-groups"].State == "Stable" && len(described["go-admin-groups"].Members) == 1, "%v", described)
		busy, err := adm.DeleteGroup(ctx, "go-admin-groups")
		check(errors.Is(busy.Err, kerr.NonEmptyGroup) || errors.Is(err, kerr.NonEmptyGroup), "busy: %v %v", busy, err)
		m.leave()
		lags, err := adm.Lag(ctx, "go-admin-groups")
		must(err)
		check(lags["go-admin-groups"].Lag.Total() == 0, "lag %v", lags)
		offsets := kadm.Offsets{}
		offsets.AddOffset("go-admin-groups", 0, 3, -1)
		must(adm.CommitAllOffsets(ctx, "go-admin-groups", offsets))
		lags, err = adm.Lag(ctx, "go-admin-groups")
		must(err)
		check(lags["go-admin-groups"].Lag.Total() == 7, "lag %v", lags)
		listed, err := adm.ListGroups(ctx, "Empty")
		must(err)
		check(listed["go-admin-groups"].State == "Empty", "%v", listed)
		topics := kadm.TopicsSet{}
		topics.Add("go-admin-groups", 0)
		forgotten, err := adm.DeleteOffsets(ctx, "go-admin-groups", topics)
		must(err)
		must(forgotten.Error())
		fetched, err := adm.FetchOffsets(ctx, "go-admin-groups")
		must(err)
		_, is := fetched.Lookup("go-admin-groups", 0)
		check(!is, "%v", fetched)
		gone, err := adm.DeleteGroup(ctx, "go-admin-groups")
		must(err)
		must(gone.Err)
	})
}

var scenarios = map[string]func(){
	"codecs": codecs, "groups": groups, "statics": statics, "regex": regex, "big": big,
	"transactions": transactions, "admin-topics": adminTopics, "admin-groups": adminGroups,
}

func main() {
	var cancel func()
	bootstrap = os.Args[1]
	ctx, cancel = context.WithTimeout(context.Background(), 45*time.Second)
	defer cancel()
	defer func() {
		if wrong := recover(); wrong != nil {
			fmt.Fprintln(os.Stderr, wrong)
			os.Exit(1)
		}
	}()
	scenarios[os.Args[2]]()
}
