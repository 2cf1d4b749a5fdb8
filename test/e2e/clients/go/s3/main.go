// What programs in Go do with an object store: with AWS's SDK v2 (aws.go) and with minio-go (minio.go).
//
//	s3 aws|minio ENDPOINT BUCKET      ends with 1 and one line at the first answer that is not as it should be
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
)

const (
	access = "minio"
	secret = "minio123"
	mib    = 1 << 20
)

var oddKeys = []string{
	"plain", "a b", "a+b", "a%2Fb", "a//b", "käse/日本/🙂", "q?x=1&y#z", "quote\"'<>&", "tail/", "dots/./x", "dots/../y",
}

var ctx = context.Background()

func bytesOf(seed int64, n int) []byte {
	body := make([]byte, n)
	rand.New(rand.NewSource(seed)).Read(body)
	return body
}

// must ends the program when an answer failed.
func must[T any](answer T, err error) T {
	done(err)
	return answer
}

func done(err error) {
	if err != nil {
		panic(err)
	}
}

func want(is bool, what string, args ...any) {
	if !is {
		panic(fmt.Errorf(what, args...))
	}
}

func read(body io.ReadCloser) []byte {
	defer body.Close()
	return must(io.ReadAll(body))
}

// The body of a URL that needs no key.
func fetch(url string) []byte {
	answer := must(http.Get(url))
	want(answer.StatusCode == 200, "GET %s: %s", url, answer.Status)
	return read(answer.Body)
}

func send(url string, body []byte) {
	request := must(http.NewRequest("PUT", url, bytes.NewReader(body)))
	answer := must(http.DefaultClient.Do(request))
	answer.Body.Close()
	want(answer.StatusCode == 200, "PUT %s: %s", url, answer.Status)
}

func main() {
	clients := map[string]func(endpoint, bucket string){"aws": withAws, "minio": withMinio}
	run := clients[os.Args[1]]
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintf(os.Stderr, "s3 %s: %v\n", os.Args[1], failure)
			os.Exit(1)
		}
	}()
	run(os.Args[2], os.Args[3])
}
