-- Records of protection groups (K1..K8) and what is read out of their bodies (1.22).

CREATE TABLE "protection_groups" (
    "id" TEXT NOT NULL CHECK (length("id") <= 36),
    "project" TEXT NOT NULL CHECK (length("project") <= 255),
    "revision" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "digest" TEXT NOT NULL CHECK (length("digest") <= 64),
    "deleted" INTEGER NOT NULL CHECK ("deleted" IN (0, 1)),
    "name" TEXT CHECK (length("name") <= 255),
    "live_name" TEXT CHECK (length("live_name") <= 255),
    "status" TEXT CHECK (length("status") <= 40),
    "replication_type" TEXT CHECK (length("replication_type") <= 40),
    "primary_site_id" TEXT CHECK (length("primary_site_id") <= 36),
    "secondary_site_id" TEXT CHECK (length("secondary_site_id") <= 36),
    "current_primary_site_id" TEXT CHECK (length("current_primary_site_id") <= 36),
    "failover_count" INTEGER NOT NULL,
    "last_failover_at_us" INTEGER,
    "state" TEXT NOT NULL,
    "signed" TEXT,
    "created_us" INTEGER NOT NULL,
    "updated_us" INTEGER NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("project", "live_name")
) STRICT;

CREATE INDEX "protection_groups_by_deleted" ON "protection_groups" ("deleted");

CREATE TABLE "consistency_groups" (
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "volume_type_name" TEXT NOT NULL CHECK (length("volume_type_name") <= 255),
    "secondary_volume_type_name" TEXT NOT NULL CHECK (length("secondary_volume_type_name") <= 255),
    "volume_count" INTEGER NOT NULL,
    "backend_name" TEXT CHECK (length("backend_name") <= 255),
    "primary_cg_id" TEXT CHECK (length("primary_cg_id") <= 255),
    "secondary_cg_id" TEXT CHECK (length("secondary_cg_id") <= 255),
    "status" TEXT CHECK (length("status") <= 40),
    PRIMARY KEY ("protection_group_id")
) STRICT;

CREATE TABLE "cg_volumes" (
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "disk_id" TEXT NOT NULL CHECK (length("disk_id") <= 36),
    "member_id" TEXT NOT NULL CHECK (length("member_id") <= 36),
    "place" INTEGER NOT NULL,
    "home_volume_id" TEXT CHECK (length("home_volume_id") <= 255),
    "home_serial" TEXT CHECK (length("home_serial") <= 255),
    "home_array_name" TEXT CHECK (length("home_array_name") <= 255),
    "other_volume_id" TEXT CHECK (length("other_volume_id") <= 255),
    "other_serial" TEXT CHECK (length("other_serial") <= 255),
    "other_array_name" TEXT CHECK (length("other_array_name") <= 255),
    "volume_name" TEXT NOT NULL,
    "size_gb" INTEGER NOT NULL,
    "bootable" INTEGER NOT NULL CHECK ("bootable" IN (0, 1)),
    "boot_index" INTEGER NOT NULL,
    "device" TEXT CHECK (length("device") <= 255),
    "tag" TEXT CHECK (length("tag") <= 255),
    "delete_on_termination" INTEGER NOT NULL CHECK ("delete_on_termination" IN (0, 1)),
    "status" TEXT NOT NULL CHECK (length("status") <= 40),
    PRIMARY KEY ("protection_group_id", "disk_id")
) STRICT;

CREATE TABLE "protection_group_members" (
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "member_id" TEXT NOT NULL CHECK (length("member_id") <= 36),
    "place" INTEGER NOT NULL,
    "home_server_id" TEXT CHECK (length("home_server_id") <= 255),
    "other_server_id" TEXT CHECK (length("other_server_id") <= 255),
    "name" TEXT NOT NULL CHECK (length("name") <= 255),
    "tier" INTEGER NOT NULL,
    "captured" TEXT NOT NULL,
    "nics" TEXT NOT NULL,
    PRIMARY KEY ("protection_group_id", "member_id")
) STRICT;

CREATE INDEX "protection_group_members_by_home_server_id" ON "protection_group_members" ("home_server_id");

CREATE INDEX "protection_group_members_by_other_server_id" ON "protection_group_members" ("other_server_id");

CREATE TABLE "replication_policies" (
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "home_array" TEXT NOT NULL CHECK (length("home_array") <= 255),
    "other_array" TEXT NOT NULL CHECK (length("other_array") <= 255),
    "pure_pg_name" TEXT NOT NULL CHECK (length("pure_pg_name") <= 255),
    "replication_interval_s" INTEGER NOT NULL,
    "rpo_max_s" INTEGER NOT NULL,
    "target_retention_s" INTEGER NOT NULL,
    PRIMARY KEY ("protection_group_id")
) STRICT;

CREATE TABLE "group_mappings" (
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "kind" TEXT NOT NULL CHECK (length("kind") <= 40),
    "source" TEXT NOT NULL CHECK (length("source") <= 255),
    "target" TEXT NOT NULL CHECK (length("target") <= 255),
    PRIMARY KEY ("protection_group_id", "kind", "source")
) STRICT;

CREATE TABLE "group_secrets" (
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "name" TEXT NOT NULL CHECK (length("name") <= 255),
    "value" BLOB NOT NULL,
    "updated_us" INTEGER NOT NULL,
    PRIMARY KEY ("protection_group_id", "name")
) STRICT;
