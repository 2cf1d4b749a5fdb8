/*
 * Bucket policies, as far as they speak of everybody: statements with Principal "*" (or {"AWS": "*"}),
 * Effect, Action and Resource with * and ?.  A statement with a Condition, NotAction, NotResource or
 * NotPrincipal never allows; a Deny with one is taken as if it had none.  Private to lake/store.
 */
#ifndef LAKE_STORE_POLICY_H
#define LAKE_STORE_POLICY_H

#include "lake/store/error.h"

enum { POLICY_STATEMENTS_MAX = 256 };

struct policy_question {
    const char *action;     /* "s3:GetObject" */
    struct str bucket, key; /* key empty: the bucket itself */
};

/* Whether an unsigned request may: some statement allows and none denies.  A text that is not a policy: no. */
bool policy_allows(struct str policy, const struct policy_question *question);
/* A policy for this bucket: well-formed JSON, known members, resources inside the bucket.  err has the words. */
enum s3_error policy_check(struct str policy, struct str bucket, struct err *err);
/* * and ? as in policies. */
bool policy_matches(struct str pattern, struct str text, bool ignore_case);

#endif
