/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_run.h"

#include "tools/gen/gen_mixer.h"

enum stream { STREAM_TIMES = 1, STREAM_MAIL, STREAM_CALL };

/* Sessions or calls still to come: one at a random time in each equal slot of the duration. */
struct arrivals {
	struct gen_random random;
	uint64_t start_ns, duration_ns;
	uint64_t left, done, slots;
	uint64_t next_ns;
};

static void arrivals_next(struct arrivals *a)
{
	uint64_t slot = a->duration_ns / a->slots;

	if (!a->left)
		return;
	a->next_ns = a->start_ns +
		     (uint64_t)((unsigned __int128)a->duration_ns * a->done / a->slots) +
		     random_between(&a->random, 0, slot);
}

static void arrivals_init(struct arrivals *a, const struct gen_settings *settings, uint64_t kind,
			  uint64_t count, uint64_t slots)
{
	*a = (struct arrivals){
		.random = random_stream(settings->seed, STREAM_TIMES, kind),
		.start_ns = settings->start_ns,
		.duration_ns = settings->duration_ns,
		.left = count,
		.slots = slots ? slots : 1,
	};
	arrivals_next(a);
}

static void take_mail(struct arrivals *a, struct gen_flow *flow, const struct gen_world *world,
		      const struct gen_settings *settings)
{
	struct gen_random random = random_stream(settings->seed, STREAM_MAIL, a->done);
	uint32_t messages = 1 + random_below(&random, settings->mail.per_session);

	if (messages > a->left)
		messages = (uint32_t)a->left;
	mail_session(flow, world, &settings->mail, &random, a->next_ns, messages);
	a->left -= messages;
}

static void take_call(struct arrivals *a, struct gen_flow *flow, const struct gen_world *world,
		      const struct gen_settings *settings)
{
	struct gen_random random = random_stream(settings->seed, STREAM_CALL, a->done);

	call_make(flow, world, &settings->call, &random, a->next_ns);
	a->left--;
}

static int mix(struct gen_mixer *mixer, const struct gen_settings *settings)
{
	const struct gen_world world = {
		.hosts = &settings->hosts,
		.faults = &settings->faults,
		.counts = mixer->counts,
		.mss = (uint16_t)settings->mss,
	};
	/* Sessions take (1 + per_session) / 2 mails at the mean. */
	uint64_t sessions = 2 * settings->mails / (1 + settings->mail.per_session);
	struct arrivals mails, calls;
	int err = 0;

	arrivals_init(&mails, settings, STREAM_MAIL, settings->mails, sessions);
	arrivals_init(&calls, settings, STREAM_CALL, settings->calls, settings->calls);
	while (!err && (mails.left || calls.left)) {
		bool is_mail = mails.left && (!calls.left || mails.next_ns <= calls.next_ns);
		struct arrivals *a = is_mail ? &mails : &calls;
		struct gen_flow *flow = mixer_flow(mixer);

		err = mixer_write(mixer, a->next_ns);
		(is_mail ? take_mail : take_call)(a, flow, &world, settings);
		mixer_add(mixer, flow);
		a->done++;
		arrivals_next(a);
	}
	return err ? err : mixer_write(mixer, UINT64_MAX);
}

int gen_run(const struct gen_settings *settings, struct gen_counts *counts)
{
	struct gen_mixer mixer = {.counts = counts};
	int err = capture_writer_open(settings->output,
				      settings->pcap ? CAPTURE_FORMAT_PCAP : CAPTURE_FORMAT_PCAPNG,
				      "postern-gen", NULL, &mixer.writer);

	if (err)
		return err;
	mixer.interface = capture_writer_interface(mixer.writer, "wire", CAPTURE_LINK_ETHERNET);
	err = mix(&mixer, settings);
	mixer_free(&mixer);
	if (err) {
		capture_writer_abort(mixer.writer);
		return err;
	}
	return capture_writer_finish(mixer.writer);
}
