/* SPDX-License-Identifier: GPL-2.0-only */
#include "reason.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void reason_say(struct reason *reason, const char *separator, const char *format, ...)
{
	size_t used = strlen(reason->text);
	va_list args;

	if (used)
		used += snprintf(reason->text + used, sizeof(reason->text) - used, "%s", separator);
	if (used >= sizeof(reason->text))
		return;
	va_start(args, format);
	vsnprintf(reason->text + used, sizeof(reason->text) - used, format, args);
	va_end(args);
}

/* Put @source into @room bytes, with a sign behind the last word that fits if not all do. */
static void store(const char *source, char *text, size_t room)
{
	static const char sign[] = " ...";
	size_t end = strlen(source);

	if (end < room) {
		memcpy(text, source, end + 1);
		return;
	}
	end = room - sizeof(sign);
	while (end && source[end] != ' ')
		end--;
	memcpy(text, source, end);
	memcpy(text + end, sign, sizeof(sign));
}

void reason_store(const struct reason *reason, char text[REASON_BYTES])
{
	store(reason->text, text, REASON_BYTES);
}

void reason_store_both(const char *first, const struct reason *last, char text[REASON_BYTES])
{
	const size_t least = sizeof("12345678 ..."); /* less of the first says nothing */
	char whole[REASON_BYTES];
	size_t last_bytes = strlen(last->text), used;

	if (!last_bytes || !*first || last_bytes + strlen("; ") + least > REASON_BYTES) {
		store(last_bytes ? last->text : first, text, REASON_BYTES);
		return;
	}
	store(first, whole, REASON_BYTES - last_bytes - strlen("; "));
	used = strlen(whole);
	memcpy(text, whole, used);
	memcpy(text + used, "; ", 2);
	memcpy(text + used + 2, last->text, last_bytes + 1);
}

static const double powers[DECIMALS_MAX + 1] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};

const char *reason_number(char text[NUMBER_BYTES], double value, int decimals)
{
	/* The limit, which no report reaches, keeps llround() from overflowing. */
	long long digits = llround(fmin(fabs(value), 1e12) * powers[decimals]);
	long long scale = llround(powers[decimals]);

	for (; decimals && digits % 10 == 0; decimals--) {
		digits /= 10;
		scale /= 10;
	}
	/* printf's %f would follow the locale. */
	snprintf(text, NUMBER_BYTES, decimals ? "%s%lld.%0*lld" : "%s%lld", value < 0 ? "-" : "",
		 digits / scale, decimals, digits % scale);
	return text;
}

static bool same_side(double a, double b, double threshold)
{
	return (a > threshold) == (b > threshold) && (a < threshold) == (b < threshold);
}

const char *reason_compared(char text[NUMBER_BYTES], double value, double low, double high)
{
	int decimals;

	for (decimals = 0; decimals < DECIMALS_MAX; decimals++) {
		double shown = round(value * powers[decimals]) / powers[decimals];

		if (same_side(shown, value, low) && same_side(shown, value, high))
			break;
	}
	return reason_number(text, value, decimals);
}
