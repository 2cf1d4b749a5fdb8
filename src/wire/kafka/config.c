/* Rows of the messages for settings, ACLs and quotas. */
#include "wire/kafka/config.h"

#include "wire/kafka/row.h"

/* One field, one row. */
/* clang-format off */
ROWS(describe_configs_request_resource,
    F(describe_configs_request_resource, I8, resource_type, 0),
    F(describe_configs_request_resource, STR, resource_name, 0),
    F(describe_configs_request_resource, LIST, configuration_keys, 0, ITEM(STR), NULLABLE(0)));
ROWS(describe_configs_request,
    F(describe_configs_request, LIST, resources, 0, OF(kafka_describe_configs_request_resource)),
    F(describe_configs_request, BOOL, include_synonyms, 1),
    F(describe_configs_request, BOOL, include_documentation, 3));

ROWS(describe_configs_response_synonym,
    F(describe_configs_response_synonym, STR, name, 1),
    F(describe_configs_response_synonym, STR, value, 1, NULLABLE(0)),
    F(describe_configs_response_synonym, I8, source, 1));
ROWS(describe_configs_response_config,
    F(describe_configs_response_config, STR, name, 0),
    F(describe_configs_response_config, STR, value, 0, NULLABLE(0)),
    F(describe_configs_response_config, BOOL, read_only, 0),
    F(describe_configs_response_config, I8, config_source, 1, ABSENT(-1)),
    F(describe_configs_response_config, BOOL, is_sensitive, 0),
    F(describe_configs_response_config, LIST, synonyms, 1, OF(kafka_describe_configs_response_synonym)),
    F(describe_configs_response_config, I8, config_type, 3),
    F(describe_configs_response_config, STR, documentation, 3, NULLABLE(0)));
ROWS(describe_configs_response_result,
    F(describe_configs_response_result, I16, error_code, 0),
    F(describe_configs_response_result, STR, error_message, 0, NULLABLE(0)),
    F(describe_configs_response_result, I8, resource_type, 0),
    F(describe_configs_response_result, STR, resource_name, 0),
    F(describe_configs_response_result, LIST, configs, 0, OF(kafka_describe_configs_response_config)));
ROWS(describe_configs_response,
    F(describe_configs_response, I32, throttle_time_ms, 0),
    F(describe_configs_response, LIST, results, 0, OF(kafka_describe_configs_response_result)));

ROWS(alter_configs_request_config,
    F(alter_configs_request_config, STR, name, 0),
    F(alter_configs_request_config, STR, value, 0, NULLABLE(0)));
ROWS(alter_configs_request_resource,
    F(alter_configs_request_resource, I8, resource_type, 0),
    F(alter_configs_request_resource, STR, resource_name, 0),
    F(alter_configs_request_resource, LIST, configs, 0, OF(kafka_alter_configs_request_config)));
ROWS(alter_configs_request,
    F(alter_configs_request, LIST, resources, 0, OF(kafka_alter_configs_request_resource)),
    F(alter_configs_request, BOOL, validate_only, 0));

ROWS(alter_configs_response_response,
    F(alter_configs_response_response, I16, error_code, 0),
    F(alter_configs_response_response, STR, error_message, 0, NULLABLE(0)),
    F(alter_configs_response_response, I8, resource_type, 0),
    F(alter_configs_response_response, STR, resource_name, 0));
ROWS(alter_configs_response,
    F(alter_configs_response, I32, throttle_time_ms, 0),
    F(alter_configs_response, LIST, responses, 0, OF(kafka_alter_configs_response_response)));

ROWS(incremental_alter_configs_request_config,
    F(incremental_alter_configs_request_config, STR, name, 0),
    F(incremental_alter_configs_request_config, I8, config_operation, 0),
    F(incremental_alter_configs_request_config, STR, value, 0, NULLABLE(0)));
ROWS(incremental_alter_configs_request_resource,
    F(incremental_alter_configs_request_resource, I8, resource_type, 0),
    F(incremental_alter_configs_request_resource, STR, resource_name, 0),
    F(incremental_alter_configs_request_resource, LIST, configs, 0, OF(kafka_incremental_alter_configs_request_config)));
ROWS(incremental_alter_configs_request,
    F(incremental_alter_configs_request, LIST, resources, 0, OF(kafka_incremental_alter_configs_request_resource)),
    F(incremental_alter_configs_request, BOOL, validate_only, 0));

ROWS(incremental_alter_configs_response_response,
    F(incremental_alter_configs_response_response, I16, error_code, 0),
    F(incremental_alter_configs_response_response, STR, error_message, 0, NULLABLE(0)),
    F(incremental_alter_configs_response_response, I8, resource_type, 0),
    F(incremental_alter_configs_response_response, STR, resource_name, 0));
ROWS(incremental_alter_configs_response,
    F(incremental_alter_configs_response, I32, throttle_time_ms, 0),
    F(incremental_alter_configs_response, LIST, responses, 0, OF(kafka_incremental_alter_configs_response_response)));

ROWS(list_config_resources_request,
    F(list_config_resources_request, LIST, resource_types, 1, ITEM(I8)));

ROWS(list_config_resources_response_config_resource,
    F(list_config_resources_response_config_resource, STR, resource_name, 0),
    F(list_config_resources_response_config_resource, I8, resource_type, 1, ABSENT(16)));
ROWS(list_config_resources_response,
    F(list_config_resources_response, I32, throttle_time_ms, 0),
    F(list_config_resources_response, I16, error_code, 0),
    F(list_config_resources_response, LIST, config_resources, 0, OF(kafka_list_config_resources_response_config_resource)));

ROWS(describe_acls_request,
    F(describe_acls_request, I8, resource_type_filter, 0),
    F(describe_acls_request, STR, resource_name_filter, 0, NULLABLE(0)),
    F(describe_acls_request, I8, pattern_type_filter, 1, ABSENT(3)),
    F(describe_acls_request, STR, principal_filter, 0, NULLABLE(0)),
    F(describe_acls_request, STR, host_filter, 0, NULLABLE(0)),
    F(describe_acls_request, I8, operation, 0),
    F(describe_acls_request, I8, permission_type, 0));

ROWS(describe_acls_response_acl,
    F(describe_acls_response_acl, STR, principal, 0),
    F(describe_acls_response_acl, STR, host, 0),
    F(describe_acls_response_acl, I8, operation, 0),
    F(describe_acls_response_acl, I8, permission_type, 0));
ROWS(describe_acls_response_resource,
    F(describe_acls_response_resource, I8, resource_type, 0),
    F(describe_acls_response_resource, STR, resource_name, 0),
    F(describe_acls_response_resource, I8, pattern_type, 1, ABSENT(3)),
    F(describe_acls_response_resource, LIST, acls, 0, OF(kafka_describe_acls_response_acl)));
ROWS(describe_acls_response,
    F(describe_acls_response, I32, throttle_time_ms, 0),
    F(describe_acls_response, I16, error_code, 0),
    F(describe_acls_response, STR, error_message, 0, NULLABLE(0)),
    F(describe_acls_response, LIST, resources, 0, OF(kafka_describe_acls_response_resource)));

ROWS(create_acls_request_creation,
    F(create_acls_request_creation, I8, resource_type, 0),
    F(create_acls_request_creation, STR, resource_name, 0),
    F(create_acls_request_creation, I8, resource_pattern_type, 1, ABSENT(3)),
    F(create_acls_request_creation, STR, principal, 0),
    F(create_acls_request_creation, STR, host, 0),
    F(create_acls_request_creation, I8, operation, 0),
    F(create_acls_request_creation, I8, permission_type, 0));
ROWS(create_acls_request,
    F(create_acls_request, LIST, creations, 0, OF(kafka_create_acls_request_creation)));

ROWS(create_acls_response_result,
    F(create_acls_response_result, I16, error_code, 0),
    F(create_acls_response_result, STR, error_message, 0, NULLABLE(0)));
ROWS(create_acls_response,
    F(create_acls_response, I32, throttle_time_ms, 0),
    F(create_acls_response, LIST, results, 0, OF(kafka_create_acls_response_result)));

ROWS(delete_acls_request_filter,
    F(delete_acls_request_filter, I8, resource_type_filter, 0),
    F(delete_acls_request_filter, STR, resource_name_filter, 0, NULLABLE(0)),
    F(delete_acls_request_filter, I8, pattern_type_filter, 1, ABSENT(3)),
    F(delete_acls_request_filter, STR, principal_filter, 0, NULLABLE(0)),
    F(delete_acls_request_filter, STR, host_filter, 0, NULLABLE(0)),
    F(delete_acls_request_filter, I8, operation, 0),
    F(delete_acls_request_filter, I8, permission_type, 0));
ROWS(delete_acls_request,
    F(delete_acls_request, LIST, filters, 0, OF(kafka_delete_acls_request_filter)));

ROWS(delete_acls_response_matching_acl,
    F(delete_acls_response_matching_acl, I16, error_code, 0),
    F(delete_acls_response_matching_acl, STR, error_message, 0, NULLABLE(0)),
    F(delete_acls_response_matching_acl, I8, resource_type, 0),
    F(delete_acls_response_matching_acl, STR, resource_name, 0),
    F(delete_acls_response_matching_acl, I8, pattern_type, 1, ABSENT(3)),
    F(delete_acls_response_matching_acl, STR, principal, 0),
    F(delete_acls_response_matching_acl, STR, host, 0),
    F(delete_acls_response_matching_acl, I8, operation, 0),
    F(delete_acls_response_matching_acl, I8, permission_type, 0));
ROWS(delete_acls_response_filter_result,
    F(delete_acls_response_filter_result, I16, error_code, 0),
    F(delete_acls_response_filter_result, STR, error_message, 0, NULLABLE(0)),
    F(delete_acls_response_filter_result, LIST, matching_acls, 0, OF(kafka_delete_acls_response_matching_acl)));
ROWS(delete_acls_response,
    F(delete_acls_response, I32, throttle_time_ms, 0),
    F(delete_acls_response, LIST, filter_results, 0, OF(kafka_delete_acls_response_filter_result)));

ROWS(describe_client_quotas_request_component,
    F(describe_client_quotas_request_component, STR, entity_type, 0),
    F(describe_client_quotas_request_component, I8, match_type, 0),
    F(describe_client_quotas_request_component, STR, match, 0, NULLABLE(0)));
ROWS(describe_client_quotas_request,
    F(describe_client_quotas_request, LIST, components, 0, OF(kafka_describe_client_quotas_request_component)),
    F(describe_client_quotas_request, BOOL, strict, 0));

ROWS(describe_client_quotas_response_entity,
    F(describe_client_quotas_response_entity, STR, entity_type, 0),
    F(describe_client_quotas_response_entity, STR, entity_name, 0, NULLABLE(0)));
ROWS(describe_client_quotas_response_value,
    F(describe_client_quotas_response_value, STR, key, 0),
    F(describe_client_quotas_response_value, F64, value, 0));
ROWS(describe_client_quotas_response_entry,
    F(describe_client_quotas_response_entry, LIST, entity, 0, OF(kafka_describe_client_quotas_response_entity)),
    F(describe_client_quotas_response_entry, LIST, values, 0, OF(kafka_describe_client_quotas_response_value)));
ROWS(describe_client_quotas_response,
    F(describe_client_quotas_response, I32, throttle_time_ms, 0),
    F(describe_client_quotas_response, I16, error_code, 0),
    F(describe_client_quotas_response, STR, error_message, 0, NULLABLE(0)),
    F(describe_client_quotas_response, LIST, entries, 0, OF(kafka_describe_client_quotas_response_entry), NULLABLE(0)));

ROWS(alter_client_quotas_request_entity,
    F(alter_client_quotas_request_entity, STR, entity_type, 0),
    F(alter_client_quotas_request_entity, STR, entity_name, 0, NULLABLE(0)));
ROWS(alter_client_quotas_request_op,
    F(alter_client_quotas_request_op, STR, key, 0),
    F(alter_client_quotas_request_op, F64, value, 0),
    F(alter_client_quotas_request_op, BOOL, remove, 0));
ROWS(alter_client_quotas_request_entry,
    F(alter_client_quotas_request_entry, LIST, entity, 0, OF(kafka_alter_client_quotas_request_entity)),
    F(alter_client_quotas_request_entry, LIST, ops, 0, OF(kafka_alter_client_quotas_request_op)));
ROWS(alter_client_quotas_request,
    F(alter_client_quotas_request, LIST, entries, 0, OF(kafka_alter_client_quotas_request_entry)),
    F(alter_client_quotas_request, BOOL, validate_only, 0));

ROWS(alter_client_quotas_response_entity,
    F(alter_client_quotas_response_entity, STR, entity_type, 0),
    F(alter_client_quotas_response_entity, STR, entity_name, 0, NULLABLE(0)));
ROWS(alter_client_quotas_response_entry,
    F(alter_client_quotas_response_entry, I16, error_code, 0),
    F(alter_client_quotas_response_entry, STR, error_message, 0, NULLABLE(0)),
    F(alter_client_quotas_response_entry, LIST, entity, 0, OF(kafka_alter_client_quotas_response_entity)));
ROWS(alter_client_quotas_response,
    F(alter_client_quotas_response, I32, throttle_time_ms, 0),
    F(alter_client_quotas_response, LIST, entries, 0, OF(kafka_alter_client_quotas_response_entry)));

ROWS(describe_user_scram_credentials_request_user_name,
    F(describe_user_scram_credentials_request_user_name, STR, name, 0));
ROWS(describe_user_scram_credentials_request,
    F(describe_user_scram_credentials_request, LIST, users, 0, OF(kafka_describe_user_scram_credentials_request_user_name), NULLABLE(0)));

ROWS(describe_user_scram_credentials_response_credential_info,
    F(describe_user_scram_credentials_response_credential_info, I8, mechanism, 0),
    F(describe_user_scram_credentials_response_credential_info, I32, iterations, 0));
ROWS(describe_user_scram_credentials_response_result,
    F(describe_user_scram_credentials_response_result, STR, user, 0),
    F(describe_user_scram_credentials_response_result, I16, error_code, 0),
    F(describe_user_scram_credentials_response_result, STR, error_message, 0, NULLABLE(0)),
    F(describe_user_scram_credentials_response_result, LIST, credential_infos, 0, OF(kafka_describe_user_scram_credentials_response_credential_info)));
ROWS(describe_user_scram_credentials_response,
    F(describe_user_scram_credentials_response, I32, throttle_time_ms, 0),
    F(describe_user_scram_credentials_response, I16, error_code, 0),
    F(describe_user_scram_credentials_response, STR, error_message, 0, NULLABLE(0)),
    F(describe_user_scram_credentials_response, LIST, results, 0, OF(kafka_describe_user_scram_credentials_response_result)));
