/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/config.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define AT(member) .offset = offsetof(struct config, member)

/* clang-format off */
const struct setting config_inspect_settings[] = {
	{.name = "smtp", .type = SETTING_PORTS, AT(smtp), .fallback = "25 587 2525",
	 .help = "TCP ports of SMTP, on either side of a flow"},
	{.name = "smtps", .type = SETTING_PORTS, AT(smtps), .fallback = "465",
	 .help = "TCP ports of SMTP under TLS from the first byte"},
	{.name = "sip", .type = SETTING_PORTS, AT(sip), .fallback = "5060 5080",
	 .help = "UDP and TCP ports of SIP"},
	{.name = "sips", .type = SETTING_PORTS, AT(sips), .fallback = "5061",
	 .help = "ports of SIP that is usually under TLS; read where it is not"},
	{0},
};

const struct setting config_list_settings[] = {
	{.name = "optout", .type = SETTING_TEXTS, AT(optout),
	 .help = "files of addresses that no tenant may mail"},
	{.name = "do_not_call", .type = SETTING_TEXTS, AT(do_not_call),
	 .help = "files of numbers that no tenant may call"},
	{.name = "optout_grace", .type = SETTING_DURATION, AT(optout_grace), .fallback = "48h", .min = 0, .max = INT64_C(30) * 86400 * 1000000000,
	 .help = "who is put on an opt-out list by `postern list` may be mailed that much longer"},
	{.name = "blocked", .type = SETTING_TEXTS, AT(blocked),
	 .help = "networks that no tenant may send to, `\"192.0.2.0/24\"` or `\"2001:db8::/32\"`"},
	{.name = "emergency_numbers", .type = SETTING_TEXT, AT(emergency_file),
	 .help = "a file in the format of `rules/emergency-numbers.conf`, which is built in, instead of it"},
	{0},
};

const struct setting config_settings[] = {
	{.name = "tiers", .type = SETTING_NAMED, AT(tiers), .members = config_tier_settings,
	 .size = sizeof(struct config_tier), .help = "limits that tenants share by name"},
	{.name = "tenants", .type = SETTING_GROUPS, AT(tenants), .members = config_tenant_settings,
	 .size = sizeof(struct config_tenant), .help = "who sends, from where, and what they may"},
	{.name = "inspect", .type = SETTING_GROUP, .members = config_inspect_settings,
	 .help = "ports whose traffic is read; everything else passes"},
	{.name = "lists", .type = SETTING_GROUP, .members = config_list_settings,
	 .help = "lists that hold for every tenant"},
	{.name = "policy", .type = SETTING_GROUP, .members = config_policy_settings,
	 .help = "choices and answers"},
	{.name = "timeouts", .type = SETTING_GROUP, .members = config_timeout_settings,
	 .help = "how long the gate remembers"},
	{.name = "budgets", .type = SETTING_GROUP, .members = config_budget_settings,
	 .help = "how much the gate remembers"},
	{.name = "risk", .type = SETTING_GROUP, .members = config_risk_settings,
	 .help = "how tenants are scored, and what follows ([risk.md](risk.md))"},
	{.name = "feedback", .type = SETTING_GROUP, .members = config_feedback_settings,
	 .help = "what is kept for complaints and bounces that come back ([feedback.md](feedback.md))"},
	{.name = "cases", .type = SETTING_GROUP, .members = config_case_settings,
	 .help = "what people are to look at, and how they hear of it ([abuse-desk.md](abuse-desk.md)); read when posternd starts"},
	{.name = "gate", .type = SETTING_GROUP, .members = config_gate_settings,
	 .help = "the live gate: ports, programs, logs and who may command; a replay has no use for it"},
	{0},
};
/* clang-format on */

struct port_list {
	const char *name;
	const struct setting_ports *ports;
};

/* Where it was written; the other list may be the default's. */
static void report_port(struct diag *diag, uint16_t port, const struct port_list *list,
			const struct port_list *other)
{
	if (list->ports->where)
		setting_error(diag, list->ports->where, "port %u is in inspect.%s already", port,
			      other->name);
	else
		setting_error(diag, other->ports->where, "port %u is in inspect.%s by default",
			      port, list->name);
}

/* One port can't be expected to carry two things. */
void config_check_ports(const struct config *config, struct diag *diag)
{
	const struct port_list lists[] = {{"smtp", &config->smtp},
					  {"smtps", &config->smtps},
					  {"sip", &config->sip},
					  {"sips", &config->sips}};
	uint8_t owner[65536] = {0};

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (unsigned j = 0; j < lists[i].ports->count; j++) {
			uint16_t port = lists[i].ports->ports[j];

			if (owner[port])
				report_port(diag, port, &lists[i], &lists[owner[port] - 1]);
			owner[port] = i + 1;
		}
	}
}

static struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config)
		config_init(&config->file);
	return config;
}

/* "@include" wants a directory, the file's; errors want the file's path (setting_file()). */
static int set_path(struct config *config, const char *path)
{
	char *copy = strdup(path);

	config->path = strdup(path);
	if (copy)
		config_set_include_dir(&config->file, dirname(copy));
	free(copy);
	return copy && config->path ? 0 : -ENOMEM;
}

static void report_syntax(const struct config *config, struct diag *diag)
{
	const config_t *file = &config->file;
	char buffer[PATH_MAX];
	const char *path = setting_include_path(file, config->path, config_error_file(file), buffer,
						sizeof(buffer));

	if (config_error_type(file) == CONFIG_ERR_FILE_IO)
		diag_error(diag, config->path, 0, "can't be read: %s",
			   strerror(errno ? errno : EIO));
	else
		diag_error(diag, path ? path : config->path, config_error_line(file), "%s",
			   config_error_text(file));
}

static int read_file(struct config *config, const char *path, struct diag *diag)
{
	int err = set_path(config, path);
	struct stat st;

	if (err)
		return err;
	/* libconfig's scanner would say an I/O error. */
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		diag_error(diag, path, 0, "can't be read: %s", strerror(EISDIR));
		return -EINVAL;
	}
	errno = 0;
	if (config_read_file(&config->file, path) != CONFIG_TRUE) {
		report_syntax(config, diag);
		return -EINVAL;
	}
	config_setting_set_hook(config_root_setting(&config->file), config->path);
	return 0;
}

static int read_all(struct config *config, const config_setting_t *root, struct diag *diag)
{
	int err = settings_read(diag, root, config_settings, config);

	if (err)
		return err;
	config_check_tiers(config, diag);
	config_check_tenants(config, diag);
	config_check_ports(config, diag);
	config_check_gate(config, diag);
	config_check_mail(config, diag);
	config_check_actions(config, diag);
	config_check_risk(config, diag);
	config_check_cases(config, diag);
	config_check_dns(config, diag);
	return 0;
}

struct config *config_load(const char *path, struct diag *diag)
{
	struct config *config = config_new();
	int err;

	if (!config)
		return NULL;
	err = path ? read_file(config, path, diag) : 0;
	if (!err)
		err = read_all(config, path ? config_root_setting(&config->file) : NULL, diag);
	if (err) {
		config_free(config);
		errno = -err;
		return NULL;
	}
	return config;
}

struct config *config_default(void)
{
	struct diag diag = {0};
	struct config *config = config_load(NULL, &diag);

	diag_fini(&diag);
	return config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	settings_free(config_settings, config);
	config_destroy(&config->file);
	free(config->path);
	free(config);
}

int config_path(const config_setting_t *where, const char *name, char *path, size_t size)
{
	char buffer[PATH_MAX];
	const char *file = where ? setting_file(where, buffer, sizeof(buffer)) : NULL;
	const char *slash = file && name[0] != '/' ? strrchr(file, '/') : NULL;
	int len = slash ? (int)(slash - file) + 1 : 0;

	len = snprintf(path, size, "%.*s%s", len, file ? file : "", name);
	return len < (int)size ? 0 : -ENAMETOOLONG;
}
