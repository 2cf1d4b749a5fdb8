package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

func codeOf(err error) string {
	var failure smithy.APIError
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return fmt.Sprint(err)
}

func awsClient(endpoint string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider(access, secret, ""),
		UsePathStyle: true,
		// as config.LoadDefaultConfig has it
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
	})
}

func withAws(endpoint, bucket string) {
	client := awsClient(endpoint)
	must(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}))
	done(s3.NewBucketExistsWaiter(client).Wait(ctx, &s3.HeadBucketInput{Bucket: &bucket}, 5*time.Second))
	awsObjects(client, bucket)
	awsConditions(client, bucket)
	awsUploads(client, bucket)
	awsPresigned(client, bucket)
	awsClear(client, bucket)
	must(client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket}))
	_, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	want(codeOf(err) == "NotFound", "a bucket that is gone: %v", err)
}

func awsObjects(client *s3.Client, bucket string) {
	for i, key := range oddKeys {
		body := bytesOf(int64(i), i*7000)
		must(client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &bucket, Key: aws.String(key), Body: bytes.NewReader(body),
			ContentType: aws.String("x/y"), CacheControl: aws.String("max-age=5"),
			Metadata: map[string]string{"colour": "blue"}, Tagging: aws.String("a=1&b=2"),
		}))
		got := must(client.GetObject(ctx, &s3.GetObjectInput{
			Bucket: &bucket, Key: aws.String(key), ChecksumMode: types.ChecksumModeEnabled,
		}))
		want(bytes.Equal(read(got.Body), body), "the body of %q", key)
		want(got.Metadata["colour"] == "blue" && *got.CacheControl == "max-age=5" && *got.TagCount == 2, "what is kept with %q", key)
		want(got.ChecksumCRC32 != nil, "no checksum kept with %q", key)
	}
	awsStream(client, bucket)
	part := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("a b"), Range: aws.String("bytes=10-19")}))
	want(bytes.Equal(read(part.Body), bytesOf(1, 7000)[10:20]), "a range")
	_, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("never")})
	want(codeOf(err) == "NotFound", "HEAD of what is not there: %v", err)
	_, err = client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("never")})
	var missing *types.NoSuchKey
	want(errors.As(err, &missing), "GET of what is not there: %v", err)
}

// A stream that cannot be read twice: its payload is not signed and has no checksum.
func awsStream(client *s3.Client, bucket string) {
	stream := io.MultiReader(strings.NewReader("from a "), strings.NewReader("stream"))
	must(client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("stream"), Body: stream, ContentLength: aws.Int64(13)},
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware),
		func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired }))
	got := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("stream")}))
	want(string(read(got.Body)) == "from a stream", "a stream")
}

func awsConditions(client *s3.Client, bucket string) {
	put := func(condition func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
		input := &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("once"), Body: strings.NewReader("1")}
		condition(input)
		return client.PutObject(ctx, input)
	}
	first := must(put(func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }))
	_, err := put(func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
	want(codeOf(err) == "PreconditionFailed", "the second who creates: %v", err)
	must(put(func(in *s3.PutObjectInput) { in.IfMatch = first.ETag }))
	_, err = put(func(in *s3.PutObjectInput) { in.IfMatch = aws.String(`"0"`) })
	want(codeOf(err) == "PreconditionFailed", "a write over what changed: %v", err)
}

func awsUploads(client *s3.Client, bucket string) {
	body := bytesOf(99, 64*mib)
	up := manager.NewUploader(client, func(u *manager.Uploader) { u.PartSize, u.Concurrency = 8*mib, 4 })
	must(up.Upload(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("big"), Body: bytes.NewReader(body)}))
	into := manager.NewWriteAtBuffer(make([]byte, 0, len(body)))
	must(manager.NewDownloader(client).Download(ctx, into, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("big")}))
	want(bytes.Equal(into.Bytes(), body), "an upload in parts, read in ranges")

	must(client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &bucket, Key: aws.String("copy"), CopySource: aws.String(bucket + "/k%C3%A4se/%E6%97%A5%E6%9C%AC/%F0%9F%99%82"),
		MetadataDirective: types.MetadataDirectiveReplace, Metadata: map[string]string{"new": "1"},
	}))
	head := must(client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("copy")}))
	want(head.Metadata["new"] == "1" && head.Metadata["colour"] == "" && *head.ContentLength == 5*7000, "a copy with other metadata")
}

func awsPresigned(client *s3.Client, bucket string) {
	sign := s3.NewPresignClient(client)
	key := aws.String("signed a+b/ü")
	put := must(sign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: key}))
	send(put.URL, []byte("by url"))
	get := must(sign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key}))
	want(string(fetch(get.URL)) == "by url", "a presigned URL")
}

// Lists page by page and deletes each page at once.
func awsClear(client *s3.Client, bucket string) {
	count := 0
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, MaxKeys: aws.Int32(4)})
	for pages.HasMorePages() {
		var keys []types.ObjectIdentifier
		for _, object := range must(pages.NextPage(ctx)).Contents {
			keys = append(keys, types.ObjectIdentifier{Key: object.Key})
		}
		count += len(keys)
		gone := must(client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: keys}}))
		want(len(gone.Deleted) == len(keys) && len(gone.Errors) == 0, "a page is deleted: %v", gone.Errors)
	}
	want(count == len(oddKeys)+5, "%d keys are listed", count)
}
