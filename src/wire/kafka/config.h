/* Messages for settings, ACLs and quotas.  Rows: config.c; how they are walked: message.h. */
#ifndef WIRE_KAFKA_CONFIG_H
#define WIRE_KAFKA_CONFIG_H

#include "wire/kafka/message.h"

/* DescribeConfigsRequest, key 32, versions 1-4, flexible from 4 */
struct kafka_describe_configs_request_resource {
    int8_t resource_type;
    struct str resource_name;
    KAFKA_LIST(struct str) configuration_keys;
};
struct kafka_describe_configs_request {
    KAFKA_LIST(struct kafka_describe_configs_request_resource) resources;
    bool include_synonyms;
    bool include_documentation;
};
extern const struct kafka_message kafka_describe_configs_request_message;

/* DescribeConfigsResponse, key 32, versions 1-4, flexible from 4 */
struct kafka_describe_configs_response_synonym {
    struct str name;
    struct str value;
    int8_t source;
};
struct kafka_describe_configs_response_config {
    struct str name;
    struct str value;
    bool read_only;
    int8_t config_source;
    bool is_sensitive;
    KAFKA_LIST(struct kafka_describe_configs_response_synonym) synonyms;
    int8_t config_type;
    struct str documentation;
};
struct kafka_describe_configs_response_result {
    int16_t error_code;
    struct str error_message;
    int8_t resource_type;
    struct str resource_name;
    KAFKA_LIST(struct kafka_describe_configs_response_config) configs;
};
struct kafka_describe_configs_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_describe_configs_response_result) results;
};
extern const struct kafka_message kafka_describe_configs_response_message;

/* AlterConfigsRequest, key 33, versions 0-2, flexible from 2 */
struct kafka_alter_configs_request_config {
    struct str name;
    struct str value;
};
struct kafka_alter_configs_request_resource {
    int8_t resource_type;
    struct str resource_name;
    KAFKA_LIST(struct kafka_alter_configs_request_config) configs;
};
struct kafka_alter_configs_request {
    KAFKA_LIST(struct kafka_alter_configs_request_resource) resources;
    bool validate_only;
};
extern const struct kafka_message kafka_alter_configs_request_message;

/* AlterConfigsResponse, key 33, versions 0-2, flexible from 2 */
struct kafka_alter_configs_response_response {
    int16_t error_code;
    struct str error_message;
    int8_t resource_type;
    struct str resource_name;
};
struct kafka_alter_configs_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_alter_configs_response_response) responses;
};
extern const struct kafka_message kafka_alter_configs_response_message;

/* IncrementalAlterConfigsRequest, key 44, versions 0-1, flexible from 1 */
struct kafka_incremental_alter_configs_request_config {
    struct str name;
    int8_t config_operation;
    struct str value;
};
struct kafka_incremental_alter_configs_request_resource {
    int8_t resource_type;
    struct str resource_name;
    KAFKA_LIST(struct kafka_incremental_alter_configs_request_config) configs;
};
struct kafka_incremental_alter_configs_request {
    KAFKA_LIST(struct kafka_incremental_alter_configs_request_resource) resources;
    bool validate_only;
};
extern const struct kafka_message kafka_incremental_alter_configs_request_message;

/* IncrementalAlterConfigsResponse, key 44, versions 0-1, flexible from 1 */
struct kafka_incremental_alter_configs_response_response {
    int16_t error_code;
    struct str error_message;
    int8_t resource_type;
    struct str resource_name;
};
struct kafka_incremental_alter_configs_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_incremental_alter_configs_response_response) responses;
};
extern const struct kafka_message kafka_incremental_alter_configs_response_message;

/* ListConfigResourcesRequest, key 74, versions 0-1, flexible from 0 */
struct kafka_list_config_resources_request {
    KAFKA_LIST(int8_t) resource_types;
};
extern const struct kafka_message kafka_list_config_resources_request_message;

/* ListConfigResourcesResponse, key 74, versions 0-1, flexible from 0 */
struct kafka_list_config_resources_response_config_resource {
    struct str resource_name;
    int8_t resource_type;
};
struct kafka_list_config_resources_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    KAFKA_LIST(struct kafka_list_config_resources_response_config_resource) config_resources;
};
extern const struct kafka_message kafka_list_config_resources_response_message;

/* DescribeAclsRequest, key 29, versions 1-3, flexible from 2 */
struct kafka_describe_acls_request {
    int8_t resource_type_filter;
    struct str resource_name_filter;
    int8_t pattern_type_filter;
    struct str principal_filter;
    struct str host_filter;
    int8_t operation;
    int8_t permission_type;
};
extern const struct kafka_message kafka_describe_acls_request_message;

/* DescribeAclsResponse, key 29, versions 1-3, flexible from 2 */
struct kafka_describe_acls_response_acl {
    struct str principal;
    struct str host;
    int8_t operation;
    int8_t permission_type;
};
struct kafka_describe_acls_response_resource {
    int8_t resource_type;
    struct str resource_name;
    int8_t pattern_type;
    KAFKA_LIST(struct kafka_describe_acls_response_acl) acls;
};
struct kafka_describe_acls_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_describe_acls_response_resource) resources;
};
extern const struct kafka_message kafka_describe_acls_response_message;

/* CreateAclsRequest, key 30, versions 1-3, flexible from 2 */
struct kafka_create_acls_request_creation {
    int8_t resource_type;
    struct str resource_name;
    int8_t resource_pattern_type;
    struct str principal;
    struct str host;
    int8_t operation;
    int8_t permission_type;
};
struct kafka_create_acls_request {
    KAFKA_LIST(struct kafka_create_acls_request_creation) creations;
};
extern const struct kafka_message kafka_create_acls_request_message;

/* CreateAclsResponse, key 30, versions 1-3, flexible from 2 */
struct kafka_create_acls_response_result {
    int16_t error_code;
    struct str error_message;
};
struct kafka_create_acls_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_create_acls_response_result) results;
};
extern const struct kafka_message kafka_create_acls_response_message;

/* DeleteAclsRequest, key 31, versions 1-3, flexible from 2 */
struct kafka_delete_acls_request_filter {
    int8_t resource_type_filter;
    struct str resource_name_filter;
    int8_t pattern_type_filter;
    struct str principal_filter;
    struct str host_filter;
    int8_t operation;
    int8_t permission_type;
};
struct kafka_delete_acls_request {
    KAFKA_LIST(struct kafka_delete_acls_request_filter) filters;
};
extern const struct kafka_message kafka_delete_acls_request_message;

/* DeleteAclsResponse, key 31, versions 1-3, flexible from 2 */
struct kafka_delete_acls_response_matching_acl {
    int16_t error_code;
    struct str error_message;
    int8_t resource_type;
    struct str resource_name;
    int8_t pattern_type;
    struct str principal;
    struct str host;
    int8_t operation;
    int8_t permission_type;
};
struct kafka_delete_acls_response_filter_result {
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_delete_acls_response_matching_acl) matching_acls;
};
struct kafka_delete_acls_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_delete_acls_response_filter_result) filter_results;
};
extern const struct kafka_message kafka_delete_acls_response_message;

/* DescribeClientQuotasRequest, key 48, versions 0-1, flexible from 1 */
struct kafka_describe_client_quotas_request_component {
    struct str entity_type;
    int8_t match_type;
    struct str match;
};
struct kafka_describe_client_quotas_request {
    KAFKA_LIST(struct kafka_describe_client_quotas_request_component) components;
    bool strict;
};
extern const struct kafka_message kafka_describe_client_quotas_request_message;

/* DescribeClientQuotasResponse, key 48, versions 0-1, flexible from 1 */
struct kafka_describe_client_quotas_response_entity {
    struct str entity_type;
    struct str entity_name;
};
struct kafka_describe_client_quotas_response_value {
    struct str key;
    double value;
};
struct kafka_describe_client_quotas_response_entry {
    KAFKA_LIST(struct kafka_describe_client_quotas_response_entity) entity;
    KAFKA_LIST(struct kafka_describe_client_quotas_response_value) values;
};
struct kafka_describe_client_quotas_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_describe_client_quotas_response_entry) entries;
};
extern const struct kafka_message kafka_describe_client_quotas_response_message;

/* AlterClientQuotasRequest, key 49, versions 0-1, flexible from 1 */
struct kafka_alter_client_quotas_request_entity {
    struct str entity_type;
    struct str entity_name;
};
struct kafka_alter_client_quotas_request_op {
    struct str key;
    double value;
    bool remove;
};
struct kafka_alter_client_quotas_request_entry {
    KAFKA_LIST(struct kafka_alter_client_quotas_request_entity) entity;
    KAFKA_LIST(struct kafka_alter_client_quotas_request_op) ops;
};
struct kafka_alter_client_quotas_request {
    KAFKA_LIST(struct kafka_alter_client_quotas_request_entry) entries;
    bool validate_only;
};
extern const struct kafka_message kafka_alter_client_quotas_request_message;

/* AlterClientQuotasResponse, key 49, versions 0-1, flexible from 1 */
struct kafka_alter_client_quotas_response_entity {
    struct str entity_type;
    struct str entity_name;
};
struct kafka_alter_client_quotas_response_entry {
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_alter_client_quotas_response_entity) entity;
};
struct kafka_alter_client_quotas_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_alter_client_quotas_response_entry) entries;
};
extern const struct kafka_message kafka_alter_client_quotas_response_message;

/* DescribeUserScramCredentialsRequest, key 50, versions 0-0, flexible from 0 */
struct kafka_describe_user_scram_credentials_request_user_name {
    struct str name;
};
struct kafka_describe_user_scram_credentials_request {
    KAFKA_LIST(struct kafka_describe_user_scram_credentials_request_user_name) users; /* null or none: all */
};
extern const struct kafka_message kafka_describe_user_scram_credentials_request_message;

/* DescribeUserScramCredentialsResponse, key 50, versions 0-0, flexible from 0 */
struct kafka_describe_user_scram_credentials_response_credential_info {
    int8_t mechanism;
    int32_t iterations;
};
struct kafka_describe_user_scram_credentials_response_result {
    struct str user;
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_describe_user_scram_credentials_response_credential_info) credential_infos;
};
struct kafka_describe_user_scram_credentials_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_describe_user_scram_credentials_response_result) results;
};
extern const struct kafka_message kafka_describe_user_scram_credentials_response_message;

#endif
