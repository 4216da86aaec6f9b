/* Prints what the C compiler makes of strait.h, for Layout.cs: `TYPE SIZE`, and `TYPE.FIELD OFFSET`. */
#include "strait.h"

#include <stdio.h>

#define SIZE(type) printf(#type " %zu\n", sizeof(type))
#define FIELD(type, field) printf(#type "." #field " %zu\n", offsetof(type, field))

int main(void) {
  SIZE(strait_region_t);
  SIZE(strait_producer_t);
  SIZE(strait_consumer_t);
  SIZE(strait_typed_producer_t);
  SIZE(strait_typed_consumer_t);
  SIZE(strait_lanes_consumer_t);
  SIZE(strait_typed_lanes_consumer_t);
  SIZE(strait_latest_writer_t);
  SIZE(strait_latest_reader_t);
  SIZE(strait_broadcast_writer_t);
  SIZE(strait_broadcast_reader_t);
  SIZE(strait_mutex_t);
  SIZE(strait_semaphore_t);
  SIZE(strait_permits_t);
  SIZE(strait_call_client_t);
  SIZE(strait_call_server_t);

  SIZE(strait_channel_t);
  FIELD(strait_channel_t, name);
  FIELD(strait_channel_t, kind);
  FIELD(strait_channel_t, capacity);
  FIELD(strait_channel_t, size);
  FIELD(strait_channel_t, flags);
  FIELD(strait_channel_t, type_hash);
  FIELD(strait_channel_t, doorbell);
  FIELD(strait_channel_t, producer_domain);
  FIELD(strait_channel_t, consumer_domain);
  FIELD(strait_channel_t, producers);
  FIELD(strait_channel_t, urgent_lanes);
  FIELD(strait_channel_t, answer_size);
  FIELD(strait_channel_t, answer_hash);
  FIELD(strait_channel_t, consumers);
  FIELD(strait_channel_t, period_us);
  SIZE(strait_plan_t);
  FIELD(strait_plan_t, channels);
  FIELD(strait_plan_t, channel_count);
  FIELD(strait_plan_t, line);
  FIELD(strait_plan_t, participants);
  FIELD(strait_plan_t, description);
  SIZE(strait_waitable_t);
  FIELD(strait_waitable_t, frames);
  FIELD(strait_waitable_t, values);
  FIELD(strait_waitable_t, lanes);
  FIELD(strait_waitable_t, typed_lanes);
  FIELD(strait_waitable_t, fanout);
  FIELD(strait_waitable_t, server);
  FIELD(strait_waitable_t, lanes_server);
  FIELD(strait_waitable_t, latest);
  FIELD(strait_waitable_t, broadcast);
  FIELD(strait_waitable_t, stream_server);
  SIZE(strait_options_t);
  FIELD(strait_options_t, flags);
  FIELD(strait_options_t, mode);
  FIELD(strait_options_t, owner);
  FIELD(strait_options_t, domain);
  SIZE(strait_received_t);
  FIELD(strait_received_t, tag);
  FIELD(strait_received_t, sequence);
  FIELD(strait_received_t, len);
  SIZE(strait_value_t);
  FIELD(strait_value_t, number);
  FIELD(strait_value_t, tag);
  FIELD(strait_value_t, len);
  SIZE(strait_request_t);
  FIELD(strait_request_t, caller);
  FIELD(strait_request_t, is_post);
  FIELD(strait_request_t, is_again);
  SIZE(strait_consumer_options_t);
  FIELD(strait_consumer_options_t, at_most_once);
  FIELD(strait_consumer_options_t, release_every);
  SIZE(strait_lanes_options_t);
  FIELD(strait_lanes_options_t, each_lane);
  FIELD(strait_lanes_options_t, burst);
  SIZE(strait_end_t);
  FIELD(strait_end_t, len);
  FIELD(strait_end_t, capacity);
  FIELD(strait_end_t, max_len);
  FIELD(strait_end_t, peer);
  FIELD(strait_end_t, taken_over_from);
  FIELD(strait_end_t, fault);
  SIZE(strait_lane_t);
  FIELD(strait_lane_t, lanes);
  FIELD(strait_lane_t, len);
  FIELD(strait_lane_t, peer);
  FIELD(strait_lane_t, taken_over_from);
  FIELD(strait_lane_t, fault);
  SIZE(strait_permit_t);
  FIELD(strait_permit_t, index);
  FIELD(strait_permit_t, taken_over_from);
  SIZE(strait_channel_info_t);
  FIELD(strait_channel_info_t, name);
  FIELD(strait_channel_info_t, kind);
  FIELD(strait_channel_info_t, capacity);
  FIELD(strait_channel_info_t, max_len);
  FIELD(strait_channel_info_t, producer_domain);
  FIELD(strait_channel_info_t, consumer_domain);
  FIELD(strait_channel_info_t, type_hash);
  FIELD(strait_channel_info_t, lane);
  FIELD(strait_channel_info_t, lanes);
  return 0;
}
