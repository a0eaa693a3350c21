-- The ledger: one row per intent, written before the call and completed after it (S2, S12).

CREATE TABLE "effects" (
    "effect_key" TEXT NOT NULL CHECK (length("effect_key") <= 255),
    "operation_id" TEXT NOT NULL CHECK (length("operation_id") <= 36),
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "project" TEXT NOT NULL CHECK (length("project") <= 255),
    "site_id" TEXT NOT NULL CHECK (length("site_id") <= 36),
    "lane" TEXT NOT NULL CHECK (length("lane") <= 255),
    "stage" INTEGER NOT NULL,
    "place" INTEGER NOT NULL,
    "step" TEXT NOT NULL CHECK (length("step") <= 40),
    "kind" TEXT NOT NULL CHECK (length("kind") <= 40),
    "state" TEXT NOT NULL CHECK (length("state") <= 40),
    "object_id" TEXT CHECK (length("object_id") <= 255),
    "detail" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "error" TEXT,
    "intended_us" INTEGER NOT NULL,
    "settled_us" INTEGER,
    PRIMARY KEY ("effect_key")
) STRICT;

CREATE INDEX "effects_by_operation_id" ON "effects" ("operation_id");

CREATE INDEX "effects_by_protection_group_id" ON "effects" ("protection_group_id");

CREATE INDEX "effects_by_state" ON "effects" ("state");
