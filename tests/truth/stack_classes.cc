/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_classes SECONDS: a call tree of known shares as C++ makes them: virtual calls, templates
 * that call each other, a lambda, handlers of exceptions and a destructor that runs while one
 * is on its way.
 *
 *     main - run - truth::Circle::area (40 %)
 *                - truth::Chain<4> … truth::Chain<0> (30 %)
 *                - catches (20 %): half in the handler, half in ~Guard
 *                - a lambda below std::for_each (10 %)
 */
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#define FUNCTION __attribute__((noipa))

namespace truth
{

constexpr uint64_t ms = 1000000;

static uint64_t cpu_ns()
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return static_cast<uint64_t>(ts.tv_sec) * 1000000000u + static_cast<uint64_t>(ts.tv_nsec);
}

class Spent
{
public:
	/* Burns about @mean_ns, and says that all of @functions did. */
	void burn(uint64_t mean_ns, std::initializer_list<const char *> functions)
	{
		uint64_t begin_ns = cpu_ns();

		random_ = random_ * 1664525u + 1013904223u;
		uint64_t end_ns = begin_ns + mean_ns / 2 + mean_ns * (random_ >> 16) / 65536;
		while (cpu_ns() < end_ns)
			for (volatile unsigned i = 0; i < 1000; i = i + 1)
				;
		for (const char *function : functions)
			ns_[function] += cpu_ns() - begin_ns;
	}
	void print(FILE *out) const
	{
		const char *separator = "";

		fprintf(out, "{\"cpu_seconds\": %.6f, \"functions\": {",
			static_cast<double>(cpu_ns()) / 1e9);
		for (const auto &[function, ns] : ns_) {
			fprintf(out, "%s\"%s\": %.6f", separator, function.c_str(),
				static_cast<double>(ns) / 1e9);
			separator = ", ";
		}
		fprintf(out, "}}\n");
	}

private:
	uint32_t random_ = 1;
	std::map<std::string, uint64_t> ns_;
};

class Shape
{
public:
	virtual ~Shape() = default;
	virtual void area(Spent &spent) const = 0;
};

class Circle : public Shape
{
public:
	void area(Spent &spent) const override;
};

FUNCTION void Circle::area(Spent &spent) const
{
	spent.burn(4 * ms, {"truth::Circle::area(truth::Spent&) const"});
}

template <int N> class Chain
{
public:
	FUNCTION static int call(Spent &spent)
	{
		return Chain<N - 1>::call(spent) + N;
	}
};

template <> class Chain<0>
{
public:
	FUNCTION static int call(Spent &spent)
	{
		spent.burn(3 * ms, {"truth::Chain<0>::call(truth::Spent&)",
				    "truth::Chain<4>::call(truth::Spent&)"});
		return 0;
	}
};

class Guard
{
public:
	explicit Guard(Spent &spent) : spent_(spent)
	{
	}
	FUNCTION ~Guard();

private:
	Spent &spent_;
};

Guard::~Guard()
{
	spent_.burn(ms, {"truth::Guard::~Guard()", "truth::catches(truth::Spent&)"});
}

FUNCTION void throws(Spent &spent)
{
	Guard guard(spent);

	throw std::runtime_error("as it should be");
}

FUNCTION void catches(Spent &spent)
{
	try {
		throws(spent);
	} catch (const std::runtime_error &) {
		spent.burn(ms, {"truth::catches(truth::Spent&)"});
	}
}

FUNCTION void loops(Spent &spent)
{
	std::vector<uint64_t> lengths{ms};

	std::for_each(lengths.begin(), lengths.end(), [&spent](uint64_t ns) __attribute__((noipa)) {
		spent.burn(ns, {"truth::loops(truth::Spent&)"});
	});
}

FUNCTION void run(const Shape &shape, Spent &spent)
{
	shape.area(spent);
	Chain<4>::call(spent);
	catches(spent);
	loops(spent);
}

} // namespace truth

int main(int argc, char **argv)
{
	truth::Spent spent;
	truth::Circle circle;
	FILE *out = stdout;

	if (argc < 2 || (argc >= 4 && strcmp(argv[2], "--truth") != 0)) {
		fprintf(stderr, "usage: %s SECONDS [--truth FILE]\n", argv[0]);
		return 2;
	}
	while (static_cast<double>(truth::cpu_ns()) < atof(argv[1]) * 1e9)
		truth::run(circle, spent);
	if (argc >= 4)
		out = fopen(argv[3], "we");
	if (!out)
		return 1;
	spent.print(out);
	return 0;
}
