-- SPDX-License-Identifier: GPL-2.0-only
-- Clients that think between two requests, so that wrk leaves the processor to the others: with 64
-- of them about 1,500 requests a second.
function delay()
	return math.random(20, 60) -- ms
end
