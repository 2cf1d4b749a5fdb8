package main

import (
	"bytes"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"
)

func withMinio(endpoint, bucket string) {
	at := must(url.Parse(endpoint))
	client := must(minio.New(at.Host, &minio.Options{Creds: credentials.NewStaticV4(access, secret, "")}))
	done(client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}))
	want(must(client.BucketExists(ctx, bucket)), "the bucket is there")
	minioObjects(client, bucket)
	minioParts(client, bucket)
	minioPresigned(client, bucket)
	minioClear(client, bucket)
	done(client.RemoveBucket(ctx, bucket))
	want(!must(client.BucketExists(ctx, bucket)), "the bucket is gone")
}

func minioObjects(client *minio.Client, bucket string) {
	for i, key := range oddKeys {
		body := bytesOf(int64(i), i*7000)
		options := minio.PutObjectOptions{
			ContentType: "x/y", CacheControl: "max-age=5", UserMetadata: map[string]string{"Colour": "blue"},
			UserTags: map[string]string{"a": "1"},
		}
		must(client.PutObject(ctx, bucket, key, bytes.NewReader(body), int64(len(body)), options))
		got := must(client.GetObject(ctx, bucket, key, minio.GetObjectOptions{}))
		want(bytes.Equal(read(got), body), "the body of %q", key)
		stat := must(client.StatObject(ctx, bucket, key, minio.StatObjectOptions{}))
		want(stat.Size == int64(len(body)) && stat.UserMetadata["Colour"] == "blue" && stat.ContentType == "x/y", "what is kept with %q", key)
	}
	_, err := client.StatObject(ctx, bucket, "never", minio.StatObjectOptions{})
	want(minio.ToErrorResponse(err).Code == minio.NoSuchKey, "what is not there: %v", err)
	labels := must(tags.NewTags(map[string]string{"stage": "raw"}, true))
	done(client.PutObjectTagging(ctx, bucket, "plain", labels, minio.PutObjectTaggingOptions{}))
	kept := must(client.GetObjectTagging(ctx, bucket, "plain", minio.GetObjectTaggingOptions{}))
	want(kept.ToMap()["stage"] == "raw", "tags: %v", kept)
}

func minioParts(client *minio.Client, bucket string) {
	body := bytesOf(99, 20*mib)
	// of unknown length, in parts
	must(client.PutObject(ctx, bucket, "big", bytes.NewReader(body), -1, minio.PutObjectOptions{PartSize: 5 * mib}))
	got := must(client.GetObject(ctx, bucket, "big", minio.GetObjectOptions{}))
	must(got.Seek(7*mib, 0))
	want(bytes.Equal(read(got), body[7*mib:]), "seeking in a large object")
	must(client.CopyObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "copy"}, minio.CopySrcOptions{Bucket: bucket, Object: "a b"}))
	must(client.ComposeObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "composed"},
		minio.CopySrcOptions{Bucket: bucket, Object: "big"}, minio.CopySrcOptions{Bucket: bucket, Object: "a b"}))
	stat := must(client.StatObject(ctx, bucket, "composed", minio.StatObjectOptions{}))
	want(stat.Size == 20*mib+7000, "composed of %d bytes", stat.Size)
}

func minioPresigned(client *minio.Client, bucket string) {
	put := must(client.PresignedPutObject(ctx, bucket, "signed a+b/ü", time.Minute))
	send(put.String(), []byte("by url"))
	get := must(client.PresignedGetObject(ctx, bucket, "signed a+b/ü", time.Minute, url.Values{"response-content-type": {"text/plain"}}))
	want(string(fetch(get.String())) == "by url", "a presigned URL")
}

func minioClear(client *minio.Client, bucket string) {
	names := make(chan minio.ObjectInfo, 100)
	count, folders := 0, 0
	for object := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{}) {
		done(object.Err)
		if strings.HasSuffix(object.Key, "/") {
			folders++
		}
	}
	for object := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
		done(object.Err)
		names <- object
		count++
	}
	close(names)
	want(folders == 5 && count == len(oddKeys)+4, "%d keys and %d folders are listed", count, folders)
	for failure := range client.RemoveObjects(ctx, bucket, names, minio.RemoveObjectsOptions{}) {
		done(failure.Err)
	}
}
