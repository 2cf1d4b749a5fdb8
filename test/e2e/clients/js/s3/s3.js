// What programs in JavaScript do with an object store: with AWS's SDK v3 and with the package minio.
//
//   s3.js aws|minio ENDPOINT BUCKET      ends with 1 at the first answer that is not as it should be
const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { Readable } = require('node:stream')
const { buffer } = require('node:stream/consumers')
const {
  CopyObjectCommand, CreateBucketCommand, DeleteBucketCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand,
  paginateListObjectsV2, PutObjectCommand, PutObjectTaggingCommand, GetObjectTaggingCommand, S3Client, waitUntilBucketExists
} = require('@aws-sdk/client-s3')
const { Upload } = require('@aws-sdk/lib-storage')
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner')
const Minio = require('minio')

const MIB = 1 << 20
const keys = ['plain', 'a b', 'a+b', 'a%2Fb', 'a//b', 'käse/日本/🙂', 'q?x=1&y#z', 'quote"\'<>&', 'tail/', 'dots/./x', 'dots/../y']
const odd = 'signed a+b/ü'

async function aws(endpoint, Bucket) {
  const client = new S3Client({
    endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId: 'minio', secretAccessKey: 'minio123' }
  })
  const send = (Command, input) => client.send(new Command({ Bucket, ...input }))

  await send(CreateBucketCommand, {})
  await waitUntilBucketExists({ client, maxWaitTime: 10 }, { Bucket })
  for (const [i, Key] of keys.entries()) {
    const body = randomBytes(i * 7000)
    await send(PutObjectCommand, { Key, Body: body, ContentType: 'x/y', CacheControl: 'max-age=5', Metadata: { colour: 'blue' } })
    const got = await send(GetObjectCommand, { Key })
    assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), body, Key)
    assert.deepEqual([got.Metadata, got.ContentType, got.CacheControl], [{ colour: 'blue' }, 'x/y', 'max-age=5'])
  }
  await assert.rejects(send(HeadObjectCommand, { Key: 'never' }), { name: 'NotFound' })
  await assert.rejects(send(GetObjectCommand, { Key: 'never' }), { name: 'NoSuchKey' })
  await send(PutObjectCommand, { Key: 'once', Body: '1', IfNoneMatch: '*' })
  await assert.rejects(send(PutObjectCommand, { Key: 'once', Body: '2', IfNoneMatch: '*' }), { name: 'PreconditionFailed' })

  // a stream goes up in parts
  const body = randomBytes(23 * MIB + 1)
  const params = { Bucket, Key: 'big', Body: Readable.from([body.subarray(0, 9 * MIB), body.subarray(9 * MIB)]) }
  await new Upload({ client, params, partSize: 5 * MIB, queueSize: 4 }).done()
  const range = await send(GetObjectCommand, { Key: 'big', Range: `bytes=${5 * MIB - 3}-${10 * MIB + 3}` })
  assert.deepEqual(Buffer.from(await range.Body.transformToByteArray()), body.subarray(5 * MIB - 3, 10 * MIB + 4))

  const CopySource = `${Bucket}/${encodeURIComponent('käse/日本/🙂')}`
  await send(CopyObjectCommand, { Key: 'copy', CopySource, MetadataDirective: 'REPLACE', Metadata: { new: '1' } })
  assert.deepEqual((await send(HeadObjectCommand, { Key: 'copy' })).Metadata, { new: '1' })
  await send(PutObjectTaggingCommand, { Key: 'copy', Tagging: { TagSet: [{ Key: 'a b', Value: 'c+d' }] } })
  assert.deepEqual((await send(GetObjectTaggingCommand, { Key: 'copy' })).TagSet, [{ Key: 'a b', Value: 'c+d' }])

  const put = await fetch(await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: odd })), { method: 'PUT', body: 'by url' })
  assert.equal(put.status, 200, await put.text())
  const get = await fetch(await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: odd })))
  assert.equal(await get.text(), 'by url')

  let count = 0
  for await (const page of paginateListObjectsV2({ client, pageSize: 4 }, { Bucket })) {
    count += page.Contents.length
    const gone = await send(DeleteObjectsCommand, { Delete: { Objects: page.Contents.map(({ Key }) => ({ Key })) } })
    assert.equal(gone.Deleted.length, page.Contents.length)
  }
  assert.equal(count, keys.length + 4)
  await send(DeleteBucketCommand, {})
}

async function minio(endpoint, bucket) {
  const { hostname, port } = new URL(endpoint)
  const client = new Minio.Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey: 'minio', secretKey: 'minio123' })
  const list = async (recursive) => (await client.listObjectsV2(bucket, '', recursive).toArray()).map(({ name, prefix }) => name ?? prefix)

  await client.makeBucket(bucket)
  assert(await client.bucketExists(bucket))
  for (const [i, key] of keys.entries()) {
    const body = randomBytes(i * 7000)
    await client.putObject(bucket, key, body, body.length, { 'Content-Type': 'x/y', colour: 'blue' })
    assert.deepEqual(await buffer(await client.getObject(bucket, key)), body, key)
    const stat = await client.statObject(bucket, key)
    assert.deepEqual([stat.size, stat.metaData.colour, stat.metaData['content-type']], [body.length, 'blue', 'x/y'])
  }
  await assert.rejects(client.statObject(bucket, 'never'), { code: 'NotFound' })
  const body = randomBytes(12 * MIB + 1)
  client.partSize = 5 * MIB
  await client.putObject(bucket, 'big', Readable.from([body.subarray(0, 7 * MIB), body.subarray(7 * MIB)]))
  assert.deepEqual(await buffer(await client.getPartialObject(bucket, 'big', 6 * MIB, 100)), body.subarray(6 * MIB, 6 * MIB + 100))
  await client.copyObject(bucket, 'copy', `/${bucket}/a b`)
  await client.setObjectTagging(bucket, 'copy', { stage: 'raw' })
  assert.deepEqual((await client.getObjectTagging(bucket, 'copy')).flat(), [{ Key: 'stage', Value: 'raw' }])

  const put = await fetch(await client.presignedPutObject(bucket, odd, 60), { method: 'PUT', body: 'by url' })
  assert.equal(put.status, 200, await put.text())
  assert.equal(await (await fetch(await client.presignedGetObject(bucket, odd, 60))).text(), 'by url')

  const all = await list(true)
  assert.deepEqual(all.toSorted(), [...keys, 'big', 'copy', odd].toSorted())
  assert.deepEqual((await list(false)).filter((name) => name.endsWith('/')).toSorted(), ['a/', 'dots/', 'käse/', 'signed a+b/', 'tail/'].toSorted())
  await client.removeObjects(bucket, all)
  assert.deepEqual(await list(true), [])
  await client.removeBucket(bucket)
}

const [name, endpoint, bucket] = process.argv.slice(2)
const run = { aws, minio }[name]
run(endpoint, bucket).catch((failure) => {
  console.error(failure)
  process.exit(1)
})
