/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Huffman code of RFC 7541, appendix B. It is canonical: codes of one length follow one
 * another in the order of their symbols, so the lengths are all that has to be known.
 */
#include "protocol/hpack.h"

#define CODE_MAX 30
#define SYMBOLS  256 /* the last code, all ones, is the end of the string and never sent */

/* How many codes have each length. */
static const uint8_t n_codes[CODE_MAX + 1] = {
	0, 0, 0, 0, 0, 10, 26, 32, 6,  0, 5,  3,  2,  6, 2, 3,
	0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19, 29, 0, 4,
};

/* The symbols in the order of their codes. */
static const uint8_t symbols[SYMBOLS] = {
	48,  49,  50,  97,  99,  101, 105, 111, 115, 116, 32,  37,  45,  46,  47,  51,  52,  53,
	54,  55,  56,  57,  61,  65,  95,  98,  100, 102, 103, 104, 108, 109, 110, 112, 114, 117,
	58,  66,  67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,
	83,  84,  85,  86,  87,  89,  106, 107, 113, 118, 119, 120, 121, 122, 38,  42,  44,  59,
	88,  90,  33,  34,  40,  41,  63,  39,  43,  124, 35,  62,  0,   36,  64,  91,  93,  126,
	94,  125, 60,  96,  123, 92,  195, 208, 128, 130, 131, 162, 184, 194, 224, 226, 153, 161,
	167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154,
	156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232,
	233, 1,   135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165,
	166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239, 9,   142, 144, 145, 148, 159,
	171, 206, 215, 225, 236, 237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205, 210, 213,
	218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245,
	246, 247, 248, 250, 251, 252, 253, 254, 2,   3,   4,   5,   6,   7,   8,   11,  12,  14,
	15,  16,  17,  18,  19,  20,  21,  23,  24,  25,  26,  27,  28,  29,  30,  31,  127, 220,
	249, 10,  13,  22,
};

struct decoder {
	uint32_t code;  /* bits of the code in progress */
	uint32_t first; /* the first code of that length */
	unsigned int length, index;
};

/* The symbol that ends with @bit, -1 where it goes on, -2 where there is none. */
static int take_bit(struct decoder *decoder, unsigned int bit)
{
	uint32_t at;

	if (decoder->length == CODE_MAX)
		return -2;
	decoder->index += n_codes[decoder->length];
	decoder->first = (decoder->first + n_codes[decoder->length]) << 1;
	decoder->code = decoder->code << 1 | bit;
	decoder->length++;
	at = decoder->code - decoder->first;
	if (decoder->code < decoder->first || at >= n_codes[decoder->length])
		return -1;
	at += decoder->index;
	*decoder = (struct decoder){0};
	return at < SYMBOLS ? symbols[at] : -2;
}

int hpack_huffman(const uint8_t *at, size_t n, char *text, size_t size)
{
	struct decoder decoder = {0};
	size_t length = 0;

	for (size_t i = 0; i < 8 * n; i++) {
		int symbol = take_bit(&decoder, at[i / 8] >> (7 - i % 8) & 1);

		if (symbol == -2)
			return -1;
		if (symbol >= 0 && length < size)
			text[length++] = (char)symbol;
	}
	/* What fills the last byte up is the beginning of the code that is all ones. */
	if (decoder.length > 7 || decoder.code != (1U << decoder.length) - 1)
		return -1;
	return (int)length;
}
