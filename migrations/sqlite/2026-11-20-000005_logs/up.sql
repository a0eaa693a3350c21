-- What is kept for people: overtaken records, the audit trail, answers to repeated requests.

CREATE TABLE "sync_log" (
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "seq" INTEGER NOT NULL,
    "kind" TEXT NOT NULL CHECK (length("kind") <= 40),
    "epoch" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "digest" TEXT NOT NULL CHECK (length("digest") <= 64),
    "content" TEXT NOT NULL,
    "at_us" INTEGER NOT NULL,
    PRIMARY KEY ("protection_group_id", "seq"),
    UNIQUE ("protection_group_id", "kind", "digest")
) STRICT;

CREATE TABLE "audit" (
    "id" TEXT NOT NULL CHECK (length("id") <= 36),
    "at_us" INTEGER NOT NULL,
    "project" TEXT NOT NULL CHECK (length("project") <= 255),
    "user_id" TEXT NOT NULL CHECK (length("user_id") <= 255),
    "action" TEXT NOT NULL CHECK (length("action") <= 255),
    "target" TEXT NOT NULL CHECK (length("target") <= 255),
    "outcome" TEXT NOT NULL CHECK (length("outcome") <= 255),
    "request_id" TEXT NOT NULL CHECK (length("request_id") <= 255),
    "detail" TEXT NOT NULL,
    PRIMARY KEY ("id")
) STRICT;

CREATE INDEX "audit_by_project" ON "audit" ("project");

CREATE TABLE "idempotency_keys" (
    "project" TEXT NOT NULL CHECK (length("project") <= 255),
    "idem_key" TEXT NOT NULL CHECK (length("idem_key") <= 255),
    "request_digest" TEXT NOT NULL CHECK (length("request_digest") <= 255),
    "response_status" INTEGER,
    "response_body" TEXT,
    "created_us" INTEGER NOT NULL,
    PRIMARY KEY ("project", "idem_key")
) STRICT;

CREATE INDEX "idempotency_keys_by_created_us" ON "idempotency_keys" ("created_us");
