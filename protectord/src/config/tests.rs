//! Tables: every key has its default and takes a value; unknown keys warn; bad values stop.

use super::*;
use protector_openstack::Interface;
use secrecy::ExposeSecret;
use std::path::Path;

const LEAST: &str = "[database]\nconnection = sqlite:////tmp/p.db\n[keystone_authtoken]\n\
                     auth_url = http://controller:5000/\npassword = canary\n";

fn read(more: &str) -> Result<Loaded, ConfigError> {
    parse(Path::new("p.conf"), &format!("{LEAST}{more}"))
}

fn good(more: &str) -> Config {
    read(more).unwrap_or_else(|e| panic!("{e}")).config
}

/// One line per thing that a key decides.
fn shown(config: &Config) -> Vec<String> {
    let k = &config.keystone;
    vec![
        format!("debug {}", config.debug),
        format!("log_dir {:?}", config.log_dir),
        format!("state_path {}", config.state_path.display()),
        format!("bind_host {}", config.bind_host),
        format!("bind_port {}", config.bind_port),
        format!("workers {}", config.workers),
        format!("public_endpoint {}", config.public_endpoint),
        format!("connection {}", config.connection.expose_secret()),
        format!(
            "encryption_key_file {}",
            config.encryption_key_file.display()
        ),
        format!("www_authenticate_uri {}", k.www_authenticate_uri),
        format!("auth_url {}", k.auth_url),
        format!("region_name {:?}", k.region_name),
        format!("interface {}", k.interface.as_str()),
        format!("username {}", k.username),
        format!("user_domain_name {}", k.user_domain_name),
        format!("password {}", k.password.expose_secret()),
        format!("project_name {}", k.project_name),
        format!("project_domain_name {}", k.project_domain_name),
        format!("cafile {:?}", k.cafile),
        format!("insecure {}", k.insecure),
        format!("default_trust_roles {:?}", config.default_trust_roles),
        format!("driver {:?}", config.driver),
        format!("site_name {}", config.site_name),
        format!("allow_loopback_urls {}", config.allow_loopback_urls),
    ]
}

#[test]
fn the_least_file_has_every_default() {
    let config = good("");
    assert_eq!(config.bind_host, "0.0.0.0");
    assert_eq!((config.bind_port, config.workers), (8788, 4));
    assert_eq!(config.state_path, Path::new("/var/lib/protector"));
    assert_eq!(
        config.encryption_key_file,
        Path::new("/var/lib/protector/encryption.key")
    );
    assert_eq!((config.debug, config.log_dir.as_ref()), (false, None));
    assert_eq!(config.driver, Driver::Pure);
    assert_eq!(config.default_trust_roles, ["member", "_member_"]);
    let k = &config.keystone;
    assert_eq!(k.auth_url, "http://controller:5000");
    assert_eq!(k.www_authenticate_uri, "http://controller:5000");
    assert_eq!(
        (k.username.as_str(), k.project_name.as_str()),
        ("protector", "service")
    );
    assert_eq!(
        (k.user_domain_name.as_str(), k.project_domain_name.as_str()),
        ("Default", "Default")
    );
    assert_eq!((k.interface, k.insecure), (Interface::Internal, false));
}

/// A value for each key, and what it changes, exactly one line.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("DEFAULT", "debug", "yes", "debug true"),
    (
        "DEFAULT",
        "log_dir",
        "/var/log/p",
        "log_dir Some(\"/var/log/p\")",
    ),
    ("DEFAULT", "state_path", "/srv/p", "state_path /srv/p"),
    ("api", "bind_host", "::1", "bind_host ::1"),
    ("api", "bind_port", "0", "bind_port 0"),
    ("api", "workers", "9", "workers 9"),
    (
        "api",
        "public_endpoint",
        "https://dr:8788/",
        "public_endpoint https://dr:8788",
    ),
    (
        "database",
        "connection",
        "mysql+pymysql://p:a#b;c@h/protector?charset=utf8",
        "connection mysql+pymysql://p:a#b;c@h/protector?charset=utf8",
    ),
    (
        "database",
        "encryption_key_file",
        "/etc/k",
        "encryption_key_file /etc/k",
    ),
    (
        "keystone_authtoken",
        "www_authenticate_uri",
        "https://k",
        "www_authenticate_uri https://k",
    ),
    (
        "keystone_authtoken",
        "region_name",
        "R2",
        "region_name Some(\"R2\")",
    ),
    (
        "keystone_authtoken",
        "interface",
        "publicURL",
        "interface public",
    ),
    ("keystone_authtoken", "username", "dr", "username dr"),
    (
        "keystone_authtoken",
        "user_domain_name",
        "heat",
        "user_domain_name heat",
    ),
    (
        "keystone_authtoken",
        "password",
        "a\\n'b'",
        "password a\\n'b'",
    ),
    (
        "keystone_authtoken",
        "project_name",
        "ops",
        "project_name ops",
    ),
    (
        "keystone_authtoken",
        "project_domain_name",
        "d",
        "project_domain_name d",
    ),
    (
        "keystone_authtoken",
        "cafile",
        "/etc/ca",
        "cafile Some(\"/etc/ca\")",
    ),
    ("keystone_authtoken", "insecure", "1", "insecure true"),
    (
        "service_credentials",
        "default_trust_roles",
        "a, b",
        "default_trust_roles [\"a\", \"b\"]",
    ),
    ("engine", "storage_driver", "mock", "driver Mock(Memory)"),
    ("engine", "site_name", "west", "site_name west"),
    (
        "engine",
        "allow_loopback_urls",
        "on",
        "allow_loopback_urls true",
    ),
];

#[test]
fn every_key_has_its_effect_and_no_other() {
    let before = shown(&good(""));
    for (section, key, value, expected) in CASES {
        let after = shown(&good(&format!("[{section}]\n{key} = {value}\n")));
        let changed: Vec<&String> = after.iter().filter(|l| !before.contains(l)).collect();
        let mut wanted = vec![expected.to_string()];
        if *key == "state_path" {
            wanted.push("encryption_key_file /srv/p/encryption.key".to_owned());
        }
        assert_eq!(
            changed,
            wanted.iter().collect::<Vec<_>>(),
            "{section} {key}"
        );
    }
    let file = good("[engine]\nstorage_driver = mock\nmock_db_path = /srv/arrays.db\n");
    assert_eq!(
        file.driver,
        Driver::Mock(MockArrays::File("/srv/arrays.db".into()))
    );
    let moved = good("[keystone_authtoken]\nauth_url = https://k2\n");
    assert_eq!(moved.keystone.auth_url, "https://k2");
}

#[test]
fn every_key_of_the_table_is_tried() {
    let elsewhere = [
        "auth_url",
        "auth_type",
        "memcached_servers",
        "policy_file",
        "mock_db_path",
    ];
    for key in KEYS {
        let tried = CASES
            .iter()
            .any(|(s, k, ..)| (*s, *k) == (key.section, key.name));
        assert!(tried || elsewhere.contains(&key.name), "{key:?}");
        // A key is known exactly if writing it down warns of nothing.
        let Preset::Text(text) = key.preset else {
            continue;
        };
        let loaded = read(&format!("[{}]\n{} = {text}\n", key.section, key.name)).unwrap();
        assert_eq!(loaded.warnings, Vec::<String>::new(), "{key:?}");
    }
}

#[test]
fn unknown_keys_are_named_with_what_was_probably_meant() {
    let loaded = read("[engine]\nbind_port = 1\nfoo = hunter2\n[API]\nworkers = 2\n").unwrap();
    let said = loaded.warnings.join("\n");
    assert_eq!(loaded.warnings.len(), 3, "{said}");
    assert!(
        said.contains("p.conf: [engine] bind_port is unknown"),
        "{said}"
    );
    assert!(said.contains("did you mean [api] bind_port?"), "{said}");
    assert!(said.contains("[engine] foo is unknown"), "{said}");
    assert!(said.contains("did you mean [api] workers?"), "{said}");
    assert!(!said.contains("hunter2"));
    assert_eq!(loaded.config.workers, 4);
    for loud in [
        "[keystone_authtoken]\nmemcached_servers = controller:11211\n",
        "[keystone_authtoken]\ninsecure = true\n",
        "[DEFAULT]\ndebug = true\n",
    ] {
        assert_eq!(read(loud).unwrap().warnings.len(), 1, "{loud}");
    }
}

#[test]
fn bad_values_stop_and_name_their_place_but_not_themselves() {
    for (section, key, value) in [
        ("DEFAULT", "debug", "canary"),
        ("DEFAULT", "log_dir", "canary"),
        ("DEFAULT", "state_path", "canary/x"),
        ("api", "bind_port", "65536"),
        ("api", "bind_port", "-1"),
        ("api", "workers", "0"),
        ("api", "workers", "canary"),
        ("api", "public_endpoint", "controller:8788"),
        ("database", "connection", "postgresql://p:canary@h/d"),
        ("database", "encryption_key_file", "canary"),
        ("keystone_authtoken", "auth_url", "http://u:canary@h"),
        ("keystone_authtoken", "auth_type", "v3token"),
        ("keystone_authtoken", "interface", "canary"),
        ("keystone_authtoken", "cafile", "canary"),
        ("keystone_authtoken", "insecure", "canary"),
        ("engine", "storage_driver", "canary"),
        ("engine", "allow_loopback_urls", "2"),
    ] {
        let error = read(&format!("[{section}]\n{key} = {value}\n")).unwrap_err();
        let said = error.to_string();
        let start = format!("p.conf: [{section}] {key}: ");
        assert!(
            said.starts_with(&start) && said.len() > start.len(),
            "{said}"
        );
        assert!(!said.contains("canary"), "{said}");
    }
    let mock = "[engine]\nstorage_driver = mock\nmock_db_path = arrays.db\n";
    assert!(
        read(mock)
            .unwrap_err()
            .to_string()
            .contains("[engine] mock_db_path")
    );
}

#[test]
fn what_has_to_be_given_is_missed() {
    for (without, place) in [
        ("connection", "[database] connection"),
        ("auth_url", "[keystone_authtoken] auth_url"),
        ("password", "[keystone_authtoken] password"),
    ] {
        let lines = LEAST.lines().filter(|l| !l.starts_with(without));
        let text: Vec<&str> = lines.collect();
        let error = parse(Path::new("p.conf"), &text.join("\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("p.conf: {place}: it has to be given")
        );
    }
    assert!(!format!("{:?}", good("")).contains("canary"));
}

#[test]
fn rules_of_ones_own_are_refused_rather_than_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("policy.yaml");
    let more = format!("[oslo_policy]\npolicy_file = {}\n", path.display());
    assert!(read(&more).is_ok(), "a file that is not there has no rules");
    std::fs::write(&path, "# nothing\n").unwrap();
    assert!(read(&more).is_ok());
    std::fs::write(&path, "\"protector:groups:show\": \"!\"\n").unwrap();
    let said = read(&more).unwrap_err().to_string();
    assert!(said.contains("[oslo_policy] policy_file"), "{said}");
}

/// The table people read has every key with its default.
#[test]
fn the_document_has_every_key() {
    let document = include_str!("../../../docs/operations/configuration.md");
    for key in KEYS {
        let row = format!("| `[{}] {}` |", key.section, key.name);
        let line = document.lines().find(|l| l.starts_with(&row));
        let line = line.unwrap_or_else(|| panic!("no row {row}"));
        if let Preset::Text(text) = key.preset {
            assert!(line.contains(&format!("`{text}`")), "{line}");
        }
    }
    let rows = document.lines().filter(|l| l.starts_with("| `["));
    assert_eq!(rows.count(), KEYS.len());
}

/// The sample that is shipped loads, and says nothing unknown.
#[test]
fn the_sample_is_a_configuration() {
    let sample = include_str!("../../etc/protector.conf");
    let loaded = parse(Path::new("sample"), sample).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(loaded.warnings, Vec::<String>::new());
}
