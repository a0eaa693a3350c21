//! The tables as diesel sees them; the same in both dialects (a test compares them with the
//! databases themselves).
//!
//! Absent on purpose: foreign keys. The projections are rewritten whole, groups are never removed,
//! and locks on parent rows would only add deadlocks (J3).

diesel::table! {
    store_meta (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    site_identity (slot) {
        slot -> Integer,
        site_id -> Text,
        installation_id -> Text,
        key_id -> Text,
        secret -> Binary,
        created_us -> BigInt,
    }
}

diesel::table! {
    sites (id) {
        id -> Text,
        name -> Text,
        description -> Text,
        site_type -> Text,
        auth_url -> Text,
        region_name -> Text,
        status -> Text,
        peer_keys -> Text,
        credential -> Nullable<Binary>,
        checked_us -> Nullable<BigInt>,
        created_us -> BigInt,
        updated_us -> BigInt,
    }
}

diesel::table! {
    arrays (id) {
        id -> Text,
        name -> Text,
        url -> Text,
        certificate -> Nullable<Text>,
        allowed_projects -> Text,
        token -> Nullable<Binary>,
        created_us -> BigInt,
        updated_us -> BigInt,
    }
}

diesel::table! {
    tenant_mappings (id) {
        id -> Text,
        local_project -> Text,
        remote_site -> Text,
        remote_project -> Text,
        description -> Text,
        created_us -> BigInt,
        mappings -> Text,
    }
}

diesel::table! {
    protection_groups (id) {
        id -> Text,
        project -> Text,
        revision -> BigInt,
        epoch -> BigInt,
        version -> BigInt,
        digest -> Text,
        deleted -> Bool,
        name -> Nullable<Text>,
        live_name -> Nullable<Text>,
        status -> Nullable<Text>,
        replication_type -> Nullable<Text>,
        primary_site_id -> Nullable<Text>,
        secondary_site_id -> Nullable<Text>,
        current_primary_site_id -> Nullable<Text>,
        failover_count -> BigInt,
        last_failover_at_us -> Nullable<BigInt>,
        state -> Text,
        signed -> Nullable<Text>,
        created_us -> BigInt,
        updated_us -> BigInt,
        suspect -> Bool,
    }
}

diesel::table! {
    consistency_groups (protection_group_id) {
        protection_group_id -> Text,
        volume_type_name -> Text,
        secondary_volume_type_name -> Text,
        volume_count -> BigInt,
        backend_name -> Nullable<Text>,
        primary_cg_id -> Nullable<Text>,
        secondary_cg_id -> Nullable<Text>,
        status -> Nullable<Text>,
    }
}

diesel::table! {
    cg_volumes (protection_group_id, disk_id) {
        protection_group_id -> Text,
        disk_id -> Text,
        member_id -> Text,
        place -> BigInt,
        home_volume_id -> Nullable<Text>,
        home_serial -> Nullable<Text>,
        home_array_name -> Nullable<Text>,
        other_volume_id -> Nullable<Text>,
        other_serial -> Nullable<Text>,
        other_array_name -> Nullable<Text>,
        volume_name -> Text,
        size_gb -> BigInt,
        bootable -> Bool,
        boot_index -> Integer,
        device -> Nullable<Text>,
        tag -> Nullable<Text>,
        delete_on_termination -> Bool,
        status -> Text,
    }
}

diesel::table! {
    protection_group_members (protection_group_id, member_id) {
        protection_group_id -> Text,
        member_id -> Text,
        place -> BigInt,
        home_server_id -> Nullable<Text>,
        other_server_id -> Nullable<Text>,
        name -> Text,
        tier -> Integer,
        captured -> Text,
        nics -> Text,
    }
}

diesel::table! {
    replication_policies (protection_group_id) {
        protection_group_id -> Text,
        home_array -> Text,
        other_array -> Text,
        pure_pg_name -> Text,
        replication_interval_s -> BigInt,
        rpo_max_s -> BigInt,
        target_retention_s -> BigInt,
    }
}

diesel::table! {
    group_mappings (protection_group_id, kind, source) {
        protection_group_id -> Text,
        kind -> Text,
        source -> Text,
        target -> Text,
    }
}

diesel::table! {
    group_secrets (protection_group_id, name) {
        protection_group_id -> Text,
        name -> Text,
        value -> Binary,
        updated_us -> BigInt,
    }
}

diesel::table! {
    delegations (protection_group_id) {
        protection_group_id -> Text,
        project -> Text,
        user_id -> Text,
        trust_id -> Nullable<Text>,
        trouble -> Nullable<Text>,
        checked_us -> BigInt,
    }
}

diesel::table! {
    dr_operations (id) {
        id -> Text,
        protection_group_id -> Text,
        project -> Text,
        operation_type -> Text,
        mode -> Text,
        status -> Text,
        outcome -> Nullable<Text>,
        epoch -> BigInt,
        source_site -> Text,
        target_site -> Text,
        plan -> Text,
        progress -> Integer,
        steps_completed -> BigInt,
        steps_failed -> BigInt,
        instances_failed -> BigInt,
        error_message -> Nullable<Text>,
        started_at_us -> BigInt,
        completed_at_us -> Nullable<BigInt>,
        requested_by -> Text,
        request_id -> Text,
        idempotency_key -> Nullable<Text>,
    }
}

diesel::table! {
    dr_operation_events (operation_id, seq) {
        operation_id -> Text,
        seq -> BigInt,
        at_us -> BigInt,
        kind -> Text,
        lane -> Nullable<Text>,
        step -> Nullable<Text>,
        text -> Text,
    }
}

diesel::table! {
    effects (effect_key) {
        effect_key -> Text,
        operation_id -> Text,
        protection_group_id -> Text,
        project -> Text,
        site_id -> Text,
        lane -> Text,
        stage -> BigInt,
        place -> BigInt,
        step -> Text,
        kind -> Text,
        state -> Text,
        object_id -> Nullable<Text>,
        detail -> Text,
        attempts -> BigInt,
        error -> Nullable<Text>,
        intended_us -> BigInt,
        settled_us -> Nullable<BigInt>,
    }
}

diesel::table! {
    sync_log (protection_group_id, seq) {
        protection_group_id -> Text,
        seq -> BigInt,
        kind -> Text,
        epoch -> BigInt,
        version -> BigInt,
        digest -> Text,
        content -> Text,
        at_us -> BigInt,
    }
}

diesel::table! {
    audit (id) {
        id -> Text,
        at_us -> BigInt,
        project -> Text,
        user_id -> Text,
        action -> Text,
        target -> Text,
        outcome -> Text,
        request_id -> Text,
        detail -> Text,
    }
}

diesel::table! {
    idempotency_keys (project, idem_key) {
        project -> Text,
        idem_key -> Text,
        request_digest -> Text,
        response_status -> Nullable<Integer>,
        response_body -> Nullable<Text>,
        created_us -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(protection_groups, protection_group_members);
diesel::allow_tables_to_appear_in_same_query!(protection_groups, replication_policies);
diesel::allow_tables_to_appear_in_same_query!(protection_groups, delegations);
diesel::allow_tables_to_appear_in_same_query!(dr_operations, effects);
