CREATE TABLE "GONG_PRIVACY"."LOOKUPS" (
	email_address VARCHAR NOT NULL,
	api_url VARCHAR,
	status VARCHAR,
	errors VARIANT,
	attempts DECIMAL,
	http_status DECIMAL,
	emails_count DECIMAL,
	calls_count DECIMAL,
	meetings_count DECIMAL,
	customer_data_count DECIMAL,
	customer_engagement_count DECIMAL,
	looked_up_at TIMESTAMP_TZ NOT NULL,
	request_id VARCHAR,
	undocumented VARIANT,
	_sdc_extracted_at TIMESTAMP_TZ,
	_sdc_received_at TIMESTAMP_TZ,
	_sdc_batched_at TIMESTAMP_TZ,
	_sdc_deleted_at TIMESTAMP_TZ,
	_sdc_sequence DECIMAL,
	_sdc_table_version DECIMAL,
	_sdc_sync_started_at DECIMAL,
	PRIMARY KEY (email_address, looked_up_at)
);

CREATE TABLE "GONG_PRIVACY"."EMAILS" (
	email_address VARCHAR NOT NULL,
	id VARCHAR NOT NULL,
	"FROM" VARCHAR,
	sent_time TIMESTAMP_TZ,
	mailbox VARCHAR,
	message_hash VARCHAR,
	looked_up_at TIMESTAMP_TZ,
	request_id VARCHAR,
	undocumented VARIANT,
	_sdc_extracted_at TIMESTAMP_TZ,
	_sdc_received_at TIMESTAMP_TZ,
	_sdc_batched_at TIMESTAMP_TZ,
	_sdc_deleted_at TIMESTAMP_TZ,
	_sdc_sequence DECIMAL,
	_sdc_table_version DECIMAL,
	_sdc_sync_started_at DECIMAL,
	PRIMARY KEY (email_address, id)
);

CREATE TABLE "GONG_PRIVACY"."CALLS" (
	email_address VARCHAR NOT NULL,
	id VARCHAR NOT NULL,
	status VARCHAR,
	external_systems VARIANT,
	looked_up_at TIMESTAMP_TZ,
	request_id VARCHAR,
	undocumented VARIANT,
	_sdc_extracted_at TIMESTAMP_TZ,
	_sdc_received_at TIMESTAMP_TZ,
	_sdc_batched_at TIMESTAMP_TZ,
	_sdc_deleted_at TIMESTAMP_TZ,
	_sdc_sequence DECIMAL,
	_sdc_table_version DECIMAL,
	_sdc_sync_started_at DECIMAL,
	PRIMARY KEY (email_address, id)
);

CREATE TABLE "GONG_PRIVACY"."MEETINGS" (
	email_address VARCHAR NOT NULL,
	id VARCHAR NOT NULL,
	looked_up_at TIMESTAMP_TZ,
	request_id VARCHAR,
	undocumented VARIANT,
	_sdc_extracted_at TIMESTAMP_TZ,
	_sdc_received_at TIMESTAMP_TZ,
	_sdc_batched_at TIMESTAMP_TZ,
	_sdc_deleted_at TIMESTAMP_TZ,
	_sdc_sequence DECIMAL,
	_sdc_table_version DECIMAL,
	_sdc_sync_started_at DECIMAL,
	PRIMARY KEY (email_address, id)
);

CREATE TABLE "GONG_PRIVACY"."CUSTOMER_DATA" (
	email_address VARCHAR NOT NULL,
	system VARCHAR NOT NULL,
	objects VARIANT,
	looked_up_at TIMESTAMP_TZ,
	request_id VARCHAR,
	undocumented VARIANT,
	_sdc_extracted_at TIMESTAMP_TZ,
	_sdc_received_at TIMESTAMP_TZ,
	_sdc_batched_at TIMESTAMP_TZ,
	_sdc_deleted_at TIMESTAMP_TZ,
	_sdc_sequence DECIMAL,
	_sdc_table_version DECIMAL,
	_sdc_sync_started_at DECIMAL,
	PRIMARY KEY (email_address, system)
);

CREATE TABLE "GONG_PRIVACY"."CUSTOMER_ENGAGEMENT" (
	email_address VARCHAR NOT NULL,
	event_hash VARCHAR NOT NULL,
	event_type VARCHAR,
	timestamp TIMESTAMP_TZ,
	content_id VARCHAR,
	content_url VARCHAR,
	reporting_system VARCHAR,
	event_name VARCHAR,
	source_event_id VARCHAR,
	looked_up_at TIMESTAMP_TZ,
	request_id VARCHAR,
	undocumented VARIANT,
	_sdc_extracted_at TIMESTAMP_TZ,
	_sdc_received_at TIMESTAMP_TZ,
	_sdc_batched_at TIMESTAMP_TZ,
	_sdc_deleted_at TIMESTAMP_TZ,
	_sdc_sequence DECIMAL,
	_sdc_table_version DECIMAL,
	_sdc_sync_started_at DECIMAL,
	PRIMARY KEY (email_address, event_hash)
);
