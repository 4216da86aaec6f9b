//! Contracts with several clients of one server in a region.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::common::{Region, TestPort};
use strait_core::contract::{
    Contract, Difference, FunctionError, LanesRequests, OpenContractError, RegionCarrier, ServeContractError,
};
use strait_core::{ChannelError, Plan, Violation};
use zerocopy::{FromZeros, IntoBytes};

const NOW: Duration = Duration::ZERO;
const PATIENCE: Duration = Duration::from_secs(20);

strait_core::contract! {
    contract Adder: client AdderClient, server AdderServer {
        fn add(number: u32) -> u32;
        post note(number: u32);
    }
}

mod other {
    strait_core::contract! {
        pub contract Adder: client AdderClient, server AdderServer {
            fn add(number: u64) -> u32;
            post note(number: u32);
        }
    }
}

#[derive(Default)]
struct Sum {
    sum: u32,
    notes: Vec<u32>,
}

impl AdderServer for Sum {
    fn add(&mut self, number: &u32) -> Result<u32, u16> {
        assert_ne!(*number, 13, "13 makes this server panic");
        self.sum += number;
        Ok(self.sum)
    }

    fn note(&mut self, number: &u32) {
        self.notes.push(*number);
    }
}

const PLAN: Plan = Plan::new(&[Adder::plan_channel("adder", 2).clients(3)]).participants(8);

type Client = AdderClient<RegionCarrier<Adder, TestPort>>;
type Server = LanesRequests<Adder, TestPort, 3>;

fn client(region: &Region) -> Client {
    Adder::client(&region.join(), "adder", NOW).unwrap()
}

#[test]
fn several_clients_are_served_in_turns() {
    let region = Region::new(&PLAN);
    let mut requests: Server = Adder::lanes_server(&region.join(), "adder").unwrap();
    let mut clients = [(); 3].map(|()| client(&region));
    assert_eq!(
        Adder::client(&region.join(), "adder", NOW).err(),
        Some(OpenContractError::Channel(ChannelError::Busy))
    );
    for (i, client) in (0..).zip(&mut clients) {
        client.note(&i).unwrap();
        client.note(&(10 + i)).unwrap();
    }
    let mut sum = Sum::default();
    assert_eq!(Adder::serve(&mut requests, &mut sum, NOW), Ok(6));
    assert_eq!(sum.notes, [0, 1, 2, 10, 11, 12]);
    assert_eq!(Adder::serve(&mut requests, &mut sum, NOW), Err(ServeContractError::TimedOut));
    std::thread::scope(|threads| {
        let calls = clients
            .map(|mut client| threads.spawn(move || (0..20).all(|_| client.add(&1, PATIENCE).is_ok())));
        while !calls.iter().all(|call| call.is_finished()) {
            let _ = Adder::serve(&mut requests, &mut sum, Duration::from_millis(1));
        }
        assert!(calls.into_iter().all(|call| call.join().unwrap()), "every call has its answer");
    });
    assert_eq!(sum.sum, 60);
}

#[test]
fn a_client_names_its_lane_and_another_contract_is_told_what_differs() {
    let region = Region::new(&PLAN);
    let mut second = Adder::lane_client(&region.join(), "adder", 1, NOW).unwrap();
    let _first = client(&region);
    assert_eq!(
        Adder::lane_client(&region.join(), "adder", 0, NOW).err(),
        Some(OpenContractError::Channel(ChannelError::Busy))
    );
    let mut requests: Server = Adder::lanes_server(&region.join(), "adder").unwrap();
    let mut sum = Sum::default();
    std::thread::scope(|threads| {
        let (differs, there) = (region.join(), region.join());
        let differs = threads.spawn(move || other::Adder::client(&differs, "adder", PATIENCE).err());
        let adds = threads.spawn(move || {
            let _there = there;
            second.add(&5, PATIENCE)
        });
        while !differs.is_finished() || !adds.is_finished() {
            let _ = Adder::serve(&mut requests, &mut sum, Duration::from_millis(1));
        }
        let differs = differs.join().unwrap();
        assert!(
            matches!(differs, Some(OpenContractError::Differs(Difference::Argument { .. }))),
            "{differs:?}"
        );
        assert_eq!(adds.join().unwrap(), Ok(5));
    });
    assert_eq!(other::Adder::lanes_server::<_, 3>(&region.join(), "adder").err(), Some(ChannelError::Type));
}

#[test]
fn a_panic_refuses_one_request_and_a_lane_at_fault_is_left_out() {
    let region = Region::new(&PLAN);
    let mut requests: Server = Adder::lanes_server(&region.join(), "adder").unwrap();
    let mut clients = [(); 3].map(|()| client(&region));
    let mut sum = Sum::default();
    let mut request = <Adder as Contract>::Request::new_zeroed();
    request[..2].copy_from_slice(&[1, 13]);
    let bad = clients[1].carrier.calls().try_call(request.as_bytes()).unwrap();
    clients[2].note(&1).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| Adder::serve(&mut requests, &mut sum, NOW)));
    assert!(panicked.is_err());
    let mut answer = <Adder as Contract>::Answer::new_zeroed();
    let refused = clients[1].carrier.calls().poll_into(bad, answer.as_mut_bytes()).unwrap_err();
    assert_eq!(FunctionError::from(refused), FunctionError::Refused { code: 0 });
    assert_eq!(Adder::serve(&mut requests, &mut sum, NOW), Ok(1));

    let entry = region.look().lane("adder", 0).unwrap();
    region.poke(entry.data + entry.stride - 16, 99);
    clients[2].note(&2).unwrap();
    let mut results = [(); 2].map(|()| Adder::serve(&mut requests, &mut sum, NOW));
    results.sort_by_key(Result::is_err);
    let fault = ServeContractError::LaneFault { lane: 0, violation: Violation::Sequence };
    assert_eq!((results, sum.notes), ([Ok(1), Err(fault)], vec![1, 2]));
    clients[1].note(&3).unwrap();
    assert_eq!(Adder::serve(&mut requests, &mut Sum::default(), NOW), Ok(1));
}
