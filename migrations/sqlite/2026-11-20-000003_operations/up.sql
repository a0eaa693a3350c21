-- DR operations with their frozen plans, and their stories (OP-01..08).

CREATE TABLE "dr_operations" (
    "id" TEXT NOT NULL CHECK (length("id") <= 36),
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "project" TEXT NOT NULL CHECK (length("project") <= 255),
    "operation_type" TEXT NOT NULL CHECK (length("operation_type") <= 40),
    "mode" TEXT NOT NULL CHECK (length("mode") <= 40),
    "status" TEXT NOT NULL CHECK (length("status") <= 40),
    "outcome" TEXT CHECK (length("outcome") <= 40),
    "epoch" INTEGER NOT NULL,
    "source_site" TEXT NOT NULL CHECK (length("source_site") <= 36),
    "target_site" TEXT NOT NULL CHECK (length("target_site") <= 36),
    "plan" TEXT NOT NULL,
    "progress" INTEGER NOT NULL,
    "steps_completed" INTEGER NOT NULL,
    "steps_failed" INTEGER NOT NULL,
    "instances_failed" INTEGER NOT NULL,
    "error_message" TEXT,
    "started_at_us" INTEGER NOT NULL,
    "completed_at_us" INTEGER,
    "requested_by" TEXT NOT NULL CHECK (length("requested_by") <= 255),
    "request_id" TEXT NOT NULL CHECK (length("request_id") <= 255),
    "idempotency_key" TEXT CHECK (length("idempotency_key") <= 255),
    PRIMARY KEY ("id"),
    UNIQUE ("project", "idempotency_key")
) STRICT;

CREATE INDEX "dr_operations_by_protection_group_id" ON "dr_operations" ("protection_group_id");

CREATE INDEX "dr_operations_by_status" ON "dr_operations" ("status");

CREATE TABLE "dr_operation_events" (
    "operation_id" TEXT NOT NULL CHECK (length("operation_id") <= 36),
    "seq" INTEGER NOT NULL,
    "at_us" INTEGER NOT NULL,
    "kind" TEXT NOT NULL CHECK (length("kind") <= 40),
    "lane" TEXT CHECK (length("lane") <= 255),
    "step" TEXT CHECK (length("step") <= 40),
    "text" TEXT NOT NULL,
    PRIMARY KEY ("operation_id", "seq")
) STRICT;
